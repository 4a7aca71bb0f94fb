using System.Diagnostics;
using ThreadExporter.Tests.Support;
using ThreadExporter.Web.Server;

namespace ThreadExporter.Tests.Web.Server;

/// <summary>Clients that take their time with the request.</summary>
public class SlowClientTests
{
    [SlowFact]
    public async Task Slow_headers_and_half_requests_are_cut_off_and_hold_up_nobody()
    {
        using TempConfig config = new("[[filter]]\nmatch = \"no-such-process\"\n");
        await using Daemon daemon = await Daemon.StartAsync(["--config", config.Path]);
        TimeSpan usual = await ReferenceScraper.MedianAsync(daemon);
        long begin = Stopwatch.GetTimestamp();
        Task<(RawResponse? Answer, TimeSpan After)>[] slow =
        [
            .. Enumerable.Range(0, 30).Select(_ => SlowAsync("GET /metrics HTTP/1.1\r\nHost: x\r\n", "X: y\r\n")),
            .. Enumerable.Range(0, 10).Select(_ => SlowAsync("GET /", "a")),
            // Half a request, and then nothing.
            .. Enumerable.Range(0, 30).Select(_ => SlowAsync("GET /metrics HTTP/1.1\r\nHo", "")),
        ];
        await ReferenceScraper.AssertUndisturbedAsync(daemon, usual);
        foreach ((RawResponse? answer, TimeSpan after) in await Task.WhenAll(slow))
        {
            Assert.Equal(408, answer?.Status);
            Assert.InRange(after, HttpLimits.RequestHeaders - TimeSpan.FromSeconds(2), HttpLimits.RequestHeaders + TimeSpan.FromSeconds(8));
        }
        await ReferenceScraper.AssertUndisturbedAsync(daemon, usual);

        async Task<(RawResponse?, TimeSpan)> SlowAsync(string first, string again)
        {
            using RawClient client = await RawClient.ConnectAsync(daemon);
            await client.TrySendAsync(first);
            Task<RawResponse?> answer = client.ReceiveAsync();
            while (!answer.IsCompleted)
            {
                await Task.WhenAny(answer, Task.Delay(500, TestContext.Current.CancellationToken));
                await client.TrySendAsync(again);
            }
            return (await answer, Stopwatch.GetElapsedTime(begin));
        }
    }
}
