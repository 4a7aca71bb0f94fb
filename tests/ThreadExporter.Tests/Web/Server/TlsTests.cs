using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Web.Server;

/// <summary>TLS of the running daemon: versions, chain, client certificates.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly TlsFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SlowFact]
    public async Task Scrapes_are_served_with_both_versions_and_the_chain_is_sent()
    {
        using TestAuthority between = new("between", _folder.Authority);
        using X509Certificate2 server = between.Server(rsa: true);
        _folder.Write(server, between.Pem);
        await using Daemon daemon = await _folder.StartAsync();
        Assert.Equal("https", daemon.Http.BaseAddress!.Scheme);
        foreach (SslProtocols version in (SslProtocols[])[SslProtocols.Tls12, SslProtocols.Tls13])
        {
            using HttpClient client = _folder.Client(daemon, protocols: version);
            Support.ParsedScrape scrape = Support.ParsedScrape.Parse(await client.GetStringAsync("/metrics", TestContext.Current.CancellationToken));
            Assert.NotEmpty(scrape.Of("perfscale_thread_cpu_seconds_total"));
            Assert.Equal(1, scrape.Value("thread_exporter_tls_files_usable"));
            Assert.Equal(new DateTimeOffset(server.NotAfter).ToUnixTimeSeconds(), scrape.Value("thread_exporter_tls_certificate_expiry_timestamp_seconds"));
        }
    }

    [SlowFact]
    public async Task Neither_HTTP_2_nor_plain_HTTP_is_accepted()
    {
        await using Daemon daemon = await _folder.StartAsync();
        using HttpClient client = _folder.Client(daemon);
        using HttpRequestMessage request = new(HttpMethod.Get, "/metrics") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        await Assert.ThrowsAsync<HttpRequestException>(() => client.SendAsync(request, TestContext.Current.CancellationToken));
        // A client that offers both gets the older one.
        using HttpRequestMessage either = new(HttpMethod.Get, "/metrics") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionOrLower };
        HttpResponseMessage response = await client.SendAsync(either, TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.OK, HttpVersion.Version11), (response.StatusCode, response.Version));
        await Assert.ThrowsAsync<HttpRequestException>(() => daemon.Http.GetAsync($"http://{daemon.Http.BaseAddress!.Authority}/metrics", TestContext.Current.CancellationToken));
    }

    [SlowFact]
    public async Task The_minimum_version_is_kept_and_can_be_reloaded()
    {
        _folder.WriteConfig("min_version = \"TLS13\"\n");
        await using Daemon daemon = await _folder.StartAsync();
        using HttpClient old = _folder.Client(daemon, protocols: SslProtocols.Tls12);
        using HttpClient current = _folder.Client(daemon, protocols: SslProtocols.Tls13);
        await Assert.ThrowsAsync<HttpRequestException>(() => old.GetAsync("/metrics", TestContext.Current.CancellationToken));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(current));
        _folder.WriteConfig();
        Assert.Equal(HttpStatusCode.OK, (await current.PostAsync("/-/reload", null, TestContext.Current.CancellationToken)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(old));
    }

    public enum Who
    {
        Nobody,
        Known,
        KnownThroughAnother,
        Stranger,
        StrangerOfTheSameName,
        Expired,
        NotForClients,
    }

    [SlowTheory]
    [InlineData("NoClientCert", "")]
    [InlineData("RequestClientCert", "")]
    [InlineData("RequireAnyClientCert", "Nobody")]
    [InlineData("VerifyClientCertIfGiven", "Stranger StrangerOfTheSameName Expired NotForClients")]
    [InlineData("RequireAndVerifyClientCert", "Nobody Stranger StrangerOfTheSameName Expired NotForClients")]
    public async Task A_client_is_refused_as_the_policy_says(string policy, string refused)
    {
        using TestAuthority clients = new("clients"), between = new("between", clients), strangers = new("strangers"), pretenders = new("clients");
        await File.WriteAllTextAsync(_folder.Ca, clients.Pem, TestContext.Current.CancellationToken);
        _folder.WriteConfig($"client_auth_type = \"{policy}\"\n" + (policy == "NoClientCert" ? "" : $"client_ca_file = \"{_folder.Ca}\"\n"));
        await using Daemon daemon = await _folder.StartAsync();
        foreach (Who who in Enum.GetValues<Who>())
        {
            using X509Certificate2? certificate = who switch
            {
                Who.Nobody => null,
                Who.Known => clients.Client(),
                Who.KnownThroughAnother => between.Client(),
                Who.Stranger => strangers.Client(),
                Who.StrangerOfTheSameName => pretenders.Client(),
                Who.Expired => clients.Client(from: TimeSpan.FromHours(-3), to: TimeSpan.FromHours(-2)),
                _ => clients.Server(),
            };
            using HttpClient client = _folder.Client(daemon, certificate, between: who == Who.KnownThroughAnother ? between : null);
            bool isRefused = await Record.ExceptionAsync(() => client.GetAsync("/-/healthy", TestContext.Current.CancellationToken)) is HttpRequestException;
            Assert.True(isRefused == refused.Split(' ').Contains($"{who}"), $"{policy}: {who} {(isRefused ? "refused" : "served")}");
        }
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client) =>
        (await client.GetAsync("/-/healthy", TestContext.Current.CancellationToken)).StatusCode;
}
