using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ThreadExporter.Tests.Configuration;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Web.Auth;

/// <summary>Passwords of the running daemon, checked by the system's libcrypt.</summary>
public sealed class BasicAuthTests : IDisposable
{
    private const string User = "prometheus";

    private readonly TempConfig _config = new(Content($"{User} = \"{PasswordHashTests.Bcrypt}\""));
    private readonly DirectoryInfo _runtime = Directory.CreateTempSubdirectory("te-auth-");

    public void Dispose()
    {
        _config.Dispose();
        _runtime.Delete(recursive: true);
    }

    private static string Content(string users) =>
        $"[[filter]]\nmatch = \"thread-exporter\"\n[web]\nenable_lifecycle = true\n[web.basic_auth_users]\n{users}\n";

    private Task<Daemon> StartAsync() =>
        Daemon.StartAsync(["--config", _config.Path, "--log.level", "trace"], new Dictionary<string, string> { ["RUNTIME_DIRECTORY"] = _runtime.FullName });

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, string method, string path, string? password, string user = User)
    {
        using HttpRequestMessage request = new(new HttpMethod(method), new Uri(client.BaseAddress!.GetLeftPart(UriPartial.Authority) + path));
        if (password is not null)
            request.Headers.Authorization = TlsFolder.Basic(user, password);
        return await client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string? password, string user = User, string path = "/metrics") =>
        (await SendAsync(client, "GET", path, password, user)).StatusCode;

    [SlowFact]
    public async Task Every_path_but_two_requires_the_password()
    {
        await using Daemon daemon = await StartAsync();
        foreach (string request in (string[])[
            "GET /metrics", "HEAD /metrics", "GET /METRICS", "POST /metrics", "OPTIONS /metrics", "GET /", "GET /hot", "GET /api/v1/hot?n=20", "POST /-/reload",
            "GET /no/such/page", "GET /-/healthy/../../metrics", "GET /-/healthy/", "GET /-/HEALTHY", "GET //-/healthy", "GET /-/healthy;/metrics"])
        {
            string[] parts = request.Split(' ');
            foreach (string? password in (string?[])[null, "wrong"])
            {
                HttpResponseMessage refused = await SendAsync(daemon.Http, parts[0], parts[1], password);
                Assert.True(refused.StatusCode == HttpStatusCode.Unauthorized, $"{request}: {refused.StatusCode}");
                Assert.Equal("Basic realm=\"thread-exporter\", charset=\"UTF-8\"", refused.Headers.WwwAuthenticate.ToString());
            }
        }
        foreach (string path in (string[])["/-/healthy", "/-/ready"])
        {
            HttpResponseMessage open = await SendAsync(daemon.Http, "GET", path, null);
            Assert.Equal($"thread-exporter is {path[3..]}.\n", await open.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await SendAsync(daemon.Http, "POST", "/-/healthy", null)).StatusCode);

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(daemon.Http, PasswordHashTests.Password));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(daemon.Http, PasswordHashTests.Password, path: "/"));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(daemon.Http, PasswordHashTests.Password, path: "/no/such/page"));
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(daemon.Http, "POST", "/-/reload", PasswordHashTests.Password)).StatusCode);
    }

    [SlowFact]
    public async Task Every_kind_of_hash_logs_in_and_a_reload_changes_passwords_at_once()
    {
        string[] hashes = [.. PasswordHashTests.Vectors.Select(row => row.Data.Item2)];
        _config.Write(Content(string.Join('\n', hashes.Select((hash, i) => $"\"user.{i}\" = '{hash}'"))));
        await using Daemon daemon = await StartAsync();
        for (int i = 0; i < hashes.Length; i++)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(daemon.Http, "wrong", $"user.{i}"));
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(daemon.Http, PasswordHashTests.Password, $"user.{i}"));
        }
        // mkpasswd -m sha512crypt -R 1000 other
        _config.Write(Content("\"user.0\" = '$6$rounds=1000$1W0LzcOBHqlrCZSC$EdPPfEIU9r9r4ByrSVdFqX4epwbYQpECHoOEB62LTmhJJdt0mo8cwZgFWCwOdYrfg2NtHRKDSdTj6suFU.USe1'"));
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(daemon.Http, "POST", "/-/reload", PasswordHashTests.Password, "user.0")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(daemon.Http, PasswordHashTests.Password, "user.0"));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(daemon.Http, PasswordHashTests.Password, "user.1"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(daemon.Http, "other", "user.0"));
        _config.Write(Content(""));
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(daemon.Http, "POST", "/-/reload", "other", "user.0")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(daemon.Http, null));
    }

    [SlowFact]
    public async Task No_secret_is_in_a_log_a_page_a_metric_a_status_file_or_an_error()
    {
        const string Mistake = "hunter2-typed-as-the-name";
        await using Daemon daemon = await StartAsync();
        StringBuilder said = new();
        foreach ((string user, string password) in ((string, string)[])[(User, PasswordHashTests.Password), (User, "wr0ng-guess"), (Mistake, "wr0ng-guess")])
        {
            foreach (string path in (string[])["/", "/metrics", "/no/such/page"])
            {
                HttpResponseMessage response = await SendAsync(daemon.Http, "GET", path, password, user);
                said.Append(response).Append(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            }
        }
        foreach (string users in (string[])[$"{User} = \"{PasswordHashTests.Bcrypt}x\"", $"{User} = \"{PasswordHashTests.Bcrypt}"])
        {
            _config.Write(Content(users));
            HttpResponseMessage bad = await SendAsync(daemon.Http, "POST", "/-/reload", PasswordHashTests.Password);
            Assert.Equal(HttpStatusCode.InternalServerError, bad.StatusCode);
            said.Append(await bad.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            said.Append(await (await SendAsync(daemon.Http, "GET", "/", PasswordHashTests.Password)).Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            said.Append(await File.ReadAllTextAsync(Path.Combine(_runtime.FullName, $"{daemon.Pid}.json"), TestContext.Current.CancellationToken));
            (int code, string output, string error) = await Daemon.RunAsync(["check", "--config", _config.Path]);
            Assert.Equal(78, code);
            Assert.Contains($"{_config.Path}:6:", error, StringComparison.Ordinal);
            said.Append(output).Append(error);
        }
        await daemon.WaitForLogAsync("Reload failed");
        Assert.Contains("Wrong user name or password from 127.0.0.1", daemon.Log, StringComparison.Ordinal);
        said.Append(daemon.Log);
        foreach (string secret in (string[])[
            PasswordHashTests.Bcrypt[7..], PasswordHashTests.Password, "wr0ng-guess", Mistake, TlsFolder.Basic(User, PasswordHashTests.Password).Parameter!, TlsFolder.Basic(Mistake, "wr0ng-guess").Parameter!])
            Assert.DoesNotContain(secret, said.ToString(), StringComparison.Ordinal);
    }

    [SlowFact]
    public async Task A_flood_of_wrong_passwords_does_not_hold_up_scrapes()
    {
        const int Flood = 200;
        await using Daemon daemon = await StartAsync();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(daemon.Http, PasswordHashTests.Password));

        using HttpClient attacker = From("127.0.0.2", daemon), newcomer = From("127.0.0.3", daemon);
        int sent = 0;
        Task[] flood = [.. Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (int i = Interlocked.Increment(ref sent); i <= Flood; i = Interlocked.Increment(ref sent))
            {
                HttpStatusCode status = await StatusAsync(attacker, $"guess {i}", i % 2 == 0 ? User : $"user {i}");
                Assert.True(status is HttpStatusCode.Unauthorized or HttpStatusCode.ServiceUnavailable);
            }
        }))];
        Eventually.True(() => Volatile.Read(ref sent) > 20, "the flood runs");
        // A first login from another address, and a login with a cached password, during the flood.
        Task<HttpStatusCode> first = StatusAsync(newcomer, PasswordHashTests.Password);
        int scrapes = 0;
        List<TimeSpan> took = [];
        while (!flood.All(t => t.IsCompleted) || scrapes < 5)
        {
            long start = Stopwatch.GetTimestamp();
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(daemon.Http, PasswordHashTests.Password));
            took.Add(Stopwatch.GetElapsedTime(start));
            scrapes++;
        }
        await Task.WhenAll(flood);
        Assert.Equal(HttpStatusCode.OK, await first);
        // Generous, because other tests share the machine: a queue of 200 hashes would still take longer.
        Assert.True(took.Max() < TimeSpan.FromSeconds(5), $"a scrape took {took.Max()}");
        Support.ParsedScrape scrape = await ScrapeAsync(daemon);
        // The very first login, the one from the other address, and this scrape.
        Assert.Equal(3, scrape.Value("thread_exporter_logins_total", ("result", "succeeded")) + scrape.Value("thread_exporter_logins_total", ("result", "cached")) - scrapes);
        // An alert on the expiry must not see a zero where there is no TLS.
        Assert.Empty(scrape.Of("thread_exporter_tls_certificate_expiry_timestamp_seconds"));
        Assert.Equal(Flood, scrape.Value("thread_exporter_logins_total", ("result", "failed")) + scrape.Value("thread_exporter_logins_total", ("result", "throttled")));
    }

    [SlowFact]
    public async Task Hashing_happens_on_two_threads_of_the_lowest_priority()
    {
        await using Daemon daemon = await StartAsync();
        Assert.Empty(Nice(daemon.Pid));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(daemon.Http, "wrong"));
        Eventually.True(() => Nice(daemon.Pid).SequenceEqual([19, 19]), "two threads with nice 19");
    }

    private static int[] Nice(int pid) =>
        [.. Directory.EnumerateDirectories($"/proc/{pid}/task").Select(t => File.ReadAllText(Path.Combine(t, "stat"))).Where(s => s.Contains("(crypt)", StringComparison.Ordinal))
            .Select(s => int.Parse(s[(s.LastIndexOf(')') + 2)..].Split(' ')[16], CultureInfo.InvariantCulture))];

    private static async Task<Support.ParsedScrape> ScrapeAsync(Daemon daemon) =>
        Support.ParsedScrape.Parse(await (await SendAsync(daemon.Http, "GET", "/metrics", PasswordHashTests.Password)).Content.ReadAsStringAsync(TestContext.Current.CancellationToken));

    /// <summary>A client with another address: all of 127.0.0.0/8 is local.</summary>
    private static HttpClient From(string address, Daemon daemon) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (context, cancellation) =>
        {
            Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
            await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    {
        BaseAddress = daemon.Http.BaseAddress,
        Timeout = TimeSpan.FromSeconds(20),
    };
}
