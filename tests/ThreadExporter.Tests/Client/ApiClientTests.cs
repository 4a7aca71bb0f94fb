using System.Net;
using System.Net.Sockets;
using System.Text;
using ThreadExporter.Client;
using ThreadExporter.Configuration;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Client;

/// <summary><see cref="ApiClient"/>: what it sends, and one line for everything that can go wrong.</summary>
public class ApiClientTests
{
    [Theory]
    [InlineData("http://localhost:9199")]
    [InlineData("https://user:secret@host.example/prefix/")]
    public void A_url_is_accepted(string url) => Assert.Null(ApiClient.GetUrlError(url));

    [Theory]
    [InlineData("localhost:9199")]
    [InlineData("ftp://host")]
    [InlineData("/api")]
    [InlineData("http://")]
    [InlineData("http://host?user:secret")]
    [InlineData("user:secret@host")]
    public void Anything_else_is_refused_without_repeating_it(string url) =>
        Assert.DoesNotContain("secret", Assert.IsType<string>(ApiClient.GetUrlError(url)), StringComparison.Ordinal);

    [Theory]
    [InlineData(":9199", "http://localhost:9199/")]
    [InlineData("0.0.0.0:80", "http://localhost/")]
    [InlineData("[::]:9200", "http://localhost:9200/")]
    [InlineData("[::1]:9200", "http://[::1]:9200/")]
    [InlineData("10.1.2.3:9199", "http://10.1.2.3:9199/")]
    public void The_daemon_of_this_host_is_where_its_configuration_says(string listen, string url) =>
        Assert.Equal(url, ApiClient.UrlOf(new WebConfig { Listen = [listen] }).ToString());

    [Fact]
    public void With_tls_it_is_https() =>
        Assert.Equal("https", ApiClient.UrlOf(new WebConfig { Tls = new TlsConfig { CertFile = "/cert" } }).Scheme);

    [Fact]
    public async Task The_password_is_sent_and_not_shown()
    {
        await using ApiStub stub = await ApiStub.StartAsync(200, "{}");
        using ApiClient client = new(new UriBuilder(stub.Url) { UserName = "us%40er", Password = "p%3Ass" }.Uri);
        Assert.Equal("{}", Encoding.UTF8.GetString((await GetAsync(client)).Body));
        Assert.Equal("Basic " + Convert.ToBase64String("us@er:p:ss"u8), stub.Authorization);
        Assert.Equal("/api/v1/hot?n=5", Assert.Single(stub.Requests));
        Assert.DoesNotContain("ss", client.Url.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_path_in_the_url_comes_before_that_of_the_api()
    {
        await using ApiStub stub = await ApiStub.StartAsync(200, "{}");
        using ApiClient client = new(new Uri(stub.Url, "/exporter"));
        await GetAsync(client);
        Assert.Equal("/exporter/api/v1/hot?n=5", Assert.Single(stub.Requests));
    }

    [Theory]
    [InlineData(401, "", "needs a password: write --url http://USER:PASSWORD@127.0.0.1:")]
    [InlineData(404, "", "does not have this API: web.pages is off there, or the daemon is older than this command")]
    [InlineData(404, "{\"error\":\"nothing is recorded at this time\",\"recorded\":null}", "nothing is recorded at this time")]
    [InlineData(404, "{\"error\":\"nothing is recorded at this time\",\"recorded\":{\"from\":\"2026-11-26T01:00:00Z\",\"to\":\"2026-11-26T02:00:00Z\"}}", "nothing is recorded at this time; recorded is 2026-11-26 ")]
    [InlineData(400, "{\"error\":\"invalid n\\u001b[2J\"}", "invalid n\\u001B[2J")]
    [InlineData(503, "", "answers with 503: this is not what thread-exporter answers")]
    public async Task An_error_is_one_line(int status, string body, string expected)
    {
        await using ApiStub stub = await ApiStub.StartAsync(status, body);
        using ApiClient client = new(stub.Url);
        string error = Assert.IsType<string>((await GetAsync(client)).Error);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error);
    }

    [Fact]
    public async Task It_does_not_wait_forever()
    {
        await using ApiStub stub = await ApiStub.StartAsync(context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        using ApiClient client = new(stub.Url, TimeSpan.FromSeconds(0.2));
        Assert.EndsWith("does not answer within 0.2 seconds", (await GetAsync(client)).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_password_is_another_line_than_none()
    {
        await using ApiStub stub = await ApiStub.StartAsync(401, "");
        using ApiClient client = new(new UriBuilder(stub.Url) { UserName = "a", Password = "b" }.Uri);
        Assert.EndsWith("does not accept this user and password", (await GetAsync(client)).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_nothing_listens_it_asks_whether_the_daemon_runs()
    {
        using TcpListener unused = new(IPAddress.Loopback, 0);
        unused.Start();
        using ApiClient client = new(new Uri($"http://{unused.LocalEndpoint}"));
        unused.Stop();
        Assert.Contains("refuses the connection: is the daemon running there? Name another with --url", (await GetAsync(client)).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_http_is_an_error()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        Task answered = Task.Run(async () =>
        {
            using Socket socket = await listener.AcceptSocketAsync();
            await socket.SendAsync("SSH-2.0-x\r\n"u8.ToArray());
        }, TestContext.Current.CancellationToken);
        using ApiClient client = new(new Uri($"http://{listener.LocalEndpoint}"));
        Assert.Contains("does not answer with HTTP", (await GetAsync(client)).Error, StringComparison.Ordinal);
        await answered;
    }

    [Fact]
    public async Task An_endless_answer_is_an_error()
    {
        await using ApiStub stub = await ApiStub.StartAsync(async context =>
        {
            byte[] block = new byte[1 << 20];
            while (!context.RequestAborted.IsCancellationRequested)
                await context.Response.Body.WriteAsync(block, context.RequestAborted);
        });
        using ApiClient client = new(stub.Url);
        Assert.NotNull((await GetAsync(client)).Error);
    }

    private static Task<ApiReply> GetAsync(ApiClient client) => client.GetAsync("api/v1/hot?n=5", TestContext.Current.CancellationToken);
}
