using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Web;

/// <summary>One daemon for all requests of <see cref="RequestTests"/>: it must survive all of them.</summary>
public sealed class RequestTestDaemon : IAsyncLifetime
{
    private TempConfig _config = null!;

    internal Daemon Daemon { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _config = new TempConfig("[[filter]]\nmatch = \"no-such-process\"\n");
        Daemon = await Daemon.StartAsync(["--config", _config.Path]);
    }

    public async ValueTask DisposeAsync()
    {
        await Daemon.DisposeAsync();
        _config.Dispose();
    }
}

/// <summary>Requests that no scraper sends: each gets a response or is closed, and the next one is served.</summary>
public sealed class RequestTests(RequestTestDaemon fixture) : IClassFixture<RequestTestDaemon>
{
    private const string Host = "\r\nHost: x\r\n\r\n";

    /// <summary>Responses that Kestrel sends before it has a complete request: without a body and without our headers.</summary>
    private static readonly int[] Refusals = [400, 408, 414, 431, 505];

    /// <summary>One character is one byte.</summary>
    public static TheoryData<string, int> Requests => new()
    {
        // Valid ones in unusual forms.
        { "GET /-/healthy HTTP/1.1" + Host, 200 },
        { "GET /-/healthy HTTP/1.0\r\n\r\n", 200 },
        { "GET /-/healthy HTTP/1.1\nHost: x\n\n", 200 },
        { "GET http://x/-/healthy HTTP/1.1" + Host, 200 },
        { "GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 200 },
        { "GET /-/healthy?" + new string('a', 4000) + " HTTP/1.1" + Host, 200 },
        // Paths.
        { "GET /../../../etc/passwd HTTP/1.1" + Host, 404 },
        { "GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1" + Host, 404 },
        { "GET /metrics/..%2f..%2fetc/passwd HTTP/1.1" + Host, 404 },
        { "GET /metrics\\..\\x HTTP/1.1" + Host, 404 },
        { "GET //metrics HTTP/1.1" + Host, 404 },
        { "GET /metrics%2f HTTP/1.1" + Host, 404 },
        { "GET /%ff%fe HTTP/1.1" + Host, 404 },
        { "GET /%zz%u0041 HTTP/1.1" + Host, 404 },
        { "GET /%00 HTTP/1.1" + Host, 400 },
        { "GET /\0 HTTP/1.1" + Host, 400 },
        { "GET /é HTTP/1.1" + Host, 400 },
        { "GET http://other/metrics HTTP/1.1" + Host, 400 },
        { "GET /" + new string('a', 9000) + " HTTP/1.1" + Host, 414 },
        { "GET /" + new string('a', 2_000_000), 414 },
        // Methods.
        { "POST /metrics HTTP/1.1" + Host, 405 },
        { "PUT / HTTP/1.1" + Host, 405 },
        { "DELETE /metrics HTTP/1.1" + Host, 405 },
        { "TRACE /metrics HTTP/1.1" + Host, 405 },
        { "GET /-/reload HTTP/1.1" + Host, 405 },
        { "POST /-/reload HTTP/1.1" + Host, 403 },
        { "OPTIONS * HTTP/1.1" + Host, 405 },
        { "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 405 },
        { "NONSENSE /nowhere HTTP/1.1" + Host, 404 },
        { "G\u0001T / HTTP/1.1" + Host, 400 },
        { " GET / HTTP/1.1" + Host, 400 },
        // Not HTTP, or not conforming to RFC 9112.
        { "GET /\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: a b/c@\r\n\r\n", 400 },
        { "GET / HTTP/9.9" + Host, 505 },
        { "\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc\u0003\u0003" + new string('\0', 500), 400 },
        { "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n folded\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n", 400 },
        // Too long.
        { "GET / HTTP/1.1\r\nHost: x\r\nA: " + new string('b', 20_000) + "\r\n\r\n", 431 },
        { "GET / HTTP/1.1\r\nHost: x\r\nA: " + new string('b', 2_000_000), 431 },
        { "GET / HTTP/1.1\r\nHost: x\r\n" + string.Concat(Enumerable.Range(0, 100).Select(i => $"A{i}: b\r\n")) + "\r\n", 431 },
        // Bodies, which no endpoint accepts.
        { "POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 403 },
        { "POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 413 },
        { "POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000000\r\n\r\nhello", 413 },
        { "POST /-/reload HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n", 413 },
        { "GET /-/healthy HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n", 413 },
        { "POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413 },
        { "POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400 },
        { "POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n", 400 },
        { "POST /-/reload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 400 },
    };

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Gets_the_right_status_and_safe_headers(string request, int status)
    {
        using RawClient client = await RawClient.ConnectAsync(fixture.Daemon);
        await client.TrySendAsync(request);
        RawResponse? response = await client.ReceiveAsync();
        Assert.NotNull(response);
        Assert.Equal(status, response.Status);
        Assert.DoesNotContain("Server", response.Headers.Keys, StringComparer.OrdinalIgnoreCase);
        if (Refusals.Contains(status))
        {
            Assert.Equal("", response.Body);
        }
        else
        {
            Assert.Equal("nosniff", response.Headers["X-Content-Type-Options"]);
            Assert.Contains("default-src 'none'", response.Headers["Content-Security-Policy"], StringComparison.Ordinal);
        }
        if (status == 405)
            Assert.Contains("Allow", response.Headers.Keys);
        if (status == 413 || Refusals.Contains(status))
            Assert.Equal("", await client.ReceiveToEndAsync());
    }

    [Fact]
    public async Task Pipelined_requests_are_served_in_order_until_the_first_malformed_one()
    {
        using RawClient client = await RawClient.ConnectAsync(fixture.Daemon);
        await client.TrySendAsync(string.Concat(Enumerable.Repeat("GET /-/healthy HTTP/1.1" + Host + "HEAD /metrics HTTP/1.1" + Host + "GET /nowhere HTTP/1.1" + Host, 50)) + "junk\r\n\r\n");
        for (int i = 0; i < 50; i++)
        {
            Assert.Equal("thread-exporter is healthy.\n", (await client.ReceiveAsync())!.Body);
            Assert.Equal(200, (await client.ReceiveAsync(hasBody: false))!.Status);
            Assert.Equal(404, (await client.ReceiveAsync())!.Status);
        }
        Assert.Equal(400, (await client.ReceiveAsync())!.Status);
        Assert.Equal("", await client.ReceiveToEndAsync());
    }

    [Fact]
    public async Task A_client_that_ends_its_side_after_a_request_or_within_one_is_let_go()
    {
        foreach (string request in (string[])["GET /-/healthy HTTP/1.1" + Host, "GET /-/healthy HTTP/1.1\r\nHos", "GET", ""])
        {
            using RawClient client = await RawClient.ConnectAsync(fixture.Daemon);
            await client.TrySendAsync(request);
            client.EndSending();
            await client.ReceiveToEndAsync();
        }
        Assert.Equal("thread-exporter is healthy.\n", await fixture.Daemon.Http.GetStringAsync("/-/healthy", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Mutated_requests_do_no_harm()
    {
        Random random = new(20261125);
        const string Good = "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: text/plain;q=0.5,*/*;q=0.1\r\nAccept-Encoding: gzip\r\nContent-Length: 0\r\n\r\n";
        for (int i = 0; i < 300; i++)
        {
            char[] request = Good.ToCharArray();
            for (int change = random.Next(1, 6); change > 0; change--)
                request[random.Next(request.Length)] = (char)random.Next(256);
            using RawClient client = await RawClient.ConnectAsync(fixture.Daemon);
            await client.TrySendAsync(new string(request));
            client.EndSending();
            await client.ReceiveToEndAsync();
        }
        Support.ParsedScrape.Parse(await fixture.Daemon.ScrapeAsync());
        Assert.DoesNotContain(" error ", fixture.Daemon.Log, StringComparison.Ordinal);
        Assert.DoesNotContain(" crit", fixture.Daemon.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Accept-Encoding: gzip;q=0, *", "text/plain", false)]
    [InlineData("Accept-Encoding: identity;q=0, *;q=0", "text/plain", false)]
    [InlineData("Accept-Encoding: identity;q=0, *", "text/plain", true)]
    [InlineData("Accept-Encoding: ,,,;;;q=q=,\x7f, gzip", "text/plain", true)]
    [InlineData("Accept-Encoding: deflate\r\nAccept-Encoding: x-gzip;q=0.001", "text/plain", true)]
    [InlineData("Accept: */*;q=0", "text/plain", false)]
    [InlineData("Accept: application/openmetrics-text;q=1e9;version=\"1.0.0", "text/plain", false)]
    [InlineData("Accept: nonsense, application/openmetrics-text", "application/openmetrics-text", false)]
    [InlineData("Accept: text/html;q=NaN,\t,/,", "text/plain", false)]
    public async Task Negotiation_survives_nonsense(string headers, string type, bool gzip)
    {
        using RawClient client = await RawClient.ConnectAsync(fixture.Daemon);
        await client.TrySendAsync($"GET /metrics HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n");
        RawResponse? response = await client.ReceiveAsync();
        Assert.NotNull(response);
        Assert.Equal(200, response.Status);
        Assert.StartsWith(type + ";", response.Headers["Content-Type"], StringComparison.Ordinal);
        Assert.Equal(gzip, response.Headers.ContainsKey("Content-Encoding"));
        Assert.Equal(gzip, response.Body.StartsWith("\u001f\u008b", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_longest_accepted_Accept_headers_are_cheap()
    {
        string list = string.Join(',', Enumerable.Repeat("*", 3700));
        TimeSpan usual = await ReferenceScraper.MedianAsync(fixture.Daemon);
        for (int i = 0; i < 20; i++)
        {
            using RawClient client = await RawClient.ConnectAsync(fixture.Daemon);
            await client.TrySendAsync($"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: {list}\r\nAccept-Encoding: {list}\r\n\r\n");
            Assert.Equal(200, (await client.ReceiveAsync())!.Status);
        }
        await ReferenceScraper.AssertUndisturbedAsync(fixture.Daemon, usual);
    }
}
