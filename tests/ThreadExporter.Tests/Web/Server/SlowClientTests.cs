using System.Diagnostics;
using ThreadExporter.Tests.Support;
using ThreadExporter.Web.Server;

namespace ThreadExporter.Tests.Web.Server;

/// <summary>Clients that send their request slowly.</summary>
public class SlowClientTests
{
    [SlowFact]
    public async Task Slow_headers_and_half_requests_are_closed_and_block_no_other_client()
    {
        using TempConfig config = new("[[filter]]\nmatch = \"no-such-process\"\n");
        await using Daemon daemon = await Daemon.StartAsync(["--config", config.Path]);
        TimeSpan usual = await ReferenceScraper.MedianAsync(daemon);
        long start = Stopwatch.GetTimestamp();
        Task<(RawResponse? Answer, TimeSpan After)>[] slow =
        [
            .. Enumerable.Range(0, 30).Select(_ => SlowAsync("GET /metrics HTTP/1.1\r\nHost: x\r\n", "X: y\r\n")),
            .. Enumerable.Range(0, 10).Select(_ => SlowAsync("GET /", "a")),
            // Half a request, and then nothing.
            .. Enumerable.Range(0, 30).Select(_ => SlowAsync("GET /metrics HTTP/1.1\r\nHo", "")),
        ];
        await ReferenceScraper.AssertUndisturbedAsync(daemon, usual);
        foreach ((RawResponse? response, TimeSpan after) in await Task.WhenAll(slow))
        {
            Assert.Equal(408, response?.Status);
            Assert.InRange(after, HttpLimits.RequestHeaders - TimeSpan.FromSeconds(2), HttpLimits.RequestHeaders + TimeSpan.FromSeconds(8));
        }
        await ReferenceScraper.AssertUndisturbedAsync(daemon, usual);

        async Task<(RawResponse?, TimeSpan)> SlowAsync(string first, string again)
        {
            using RawClient client = await RawClient.ConnectAsync(daemon);
            await client.TrySendAsync(first);
            Task<RawResponse?> response = client.ReceiveAsync();
            while (!response.IsCompleted)
            {
                await Task.WhenAny(response, Task.Delay(500, TestContext.Current.CancellationToken));
                await client.TrySendAsync(again);
            }
            return (await response, Stopwatch.GetElapsedTime(start));
        }
    }
}
