using System.Diagnostics;
using System.Net;
using ThreadExporter.Tests.Support;
using ThreadExporter.Web.Server;

namespace ThreadExporter.Tests.Web.Server;

/// <summary>Clients that request megabytes and do not read them.</summary>
public class StalledReaderTests
{
    private const int MaxRequests = 8;

    /// <summary>A hundred filters with names of 9,000 characters: responses of 0.9 MB from one small file.</summary>
    private static readonly string LongAnswers = $"[web]\nmax_requests = {MaxRequests}\n"
        + string.Concat(Enumerable.Range(0, 100).Select(i => $"[[filter]]\nmatch = \"no-such-process\"\nname = \"{i}{new string('x', 9000)}\"\n"));

    [SlowFact]
    public async Task A_shutdown_waits_five_seconds_for_such_clients_and_no_longer()
    {
        using TempConfig config = new(LongAnswers);
        await using Daemon daemon = await Daemon.StartAsync(["--config", config.Path]);
        using RawClient stalled = await RawClient.ConnectWithSmallWindowAsync(daemon);
        await stalled.TrySendAsync("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        using RawClient half = await RawClient.ConnectAsync(daemon);
        await half.TrySendAsync("GET /metrics HT");
        await daemon.ScrapeAsync();
        long start = Stopwatch.GetTimestamp();
        Assert.Equal(0, await daemon.StopAsync());
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Assert.DoesNotContain(" error ", daemon.Log, StringComparison.Ordinal);
    }

    [SlowFact]
    public async Task A_client_that_stops_reading_is_dropped_and_delays_neither_collections_nor_scrapes()
    {
        using TempConfig config = new(LongAnswers);
        await using Daemon daemon = await Daemon.StartAsync(["--config", config.Path]);
        TimeSpan usual = await ReferenceScraper.MedianAsync(daemon);
        Support.ParsedScrape before = await daemon.ScrapeParsedAsync();

        List<RawClient> stalled = [];
        long start = Stopwatch.GetTimestamp();
        try
        {
            // One after the other, so that each has its own collection and body.
            while (stalled.Count < MaxRequests - 1)
            {
                await StallAsync();
                await daemon.ScrapeAsync();
            }
            await ReferenceScraper.AssertUndisturbedAsync(daemon, usual);
            Support.ParsedScrape during = await daemon.ScrapeParsedAsync();
            Assert.True(during.Value("thread_exporter_collections_total") >= before.Value("thread_exporter_collections_total") + 10);
            Assert.InRange(during.Value("process_resident_memory_bytes") - before.Value("process_resident_memory_bytes"), -1e9, 100e6);

            await StallAsync();
            await AssertBusyAsync();
            // Until the first are dropped; the limit is looked at once a second.
            await Eventually.TrueAsync(async () => await StatusAsync() != HttpStatusCode.ServiceUnavailable, "a client that does not read is dropped",
                timeout: HttpLimits.ResponseGrace + TimeSpan.FromSeconds(8));
            Assert.True(Stopwatch.GetElapsedTime(start) > HttpLimits.ResponseGrace - TimeSpan.FromSeconds(1), "a client was dropped before its time");
            Eventually.True(() => !stalled.Exists(c => c.IsOpen), "the daemon has dropped them all");
            foreach (RawClient client in stalled)
                Assert.True((await client.ReceiveToEndAsync()).Length < 500_000, "the kernels took the whole response, so nothing was tested");
            await ReferenceScraper.AssertUndisturbedAsync(daemon, usual);
            Support.ParsedScrape after = await daemon.ScrapeParsedAsync();
            Assert.InRange(after.Value("process_open_fds") - before.Value("process_open_fds"), -10, 4);
        }
        finally
        {
            stalled.ForEach(c => c.Dispose());
        }
        Assert.DoesNotContain(" error ", daemon.Log, StringComparison.Ordinal);

        async Task StallAsync()
        {
            RawClient client = await RawClient.ConnectWithSmallWindowAsync(daemon);
            stalled.Add(client);
            await client.TrySendAsync("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        }

        async Task<HttpStatusCode> StatusAsync() => (await daemon.Http.GetAsync("/metrics", TestContext.Current.CancellationToken)).StatusCode;

        // The last request may still be running.
        async Task AssertBusyAsync()
        {
            await Eventually.TrueAsync(async () => await StatusAsync() == HttpStatusCode.ServiceUnavailable, "the daemon is busy");
            using HttpResponseMessage busy = await daemon.Http.GetAsync("/metrics", TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, busy.StatusCode);
            Assert.Equal("1", Assert.Single(busy.Headers.GetValues("Retry-After")));
            Assert.Equal("nosniff", Assert.Single(busy.Headers.GetValues("X-Content-Type-Options")));
        }
    }
}
