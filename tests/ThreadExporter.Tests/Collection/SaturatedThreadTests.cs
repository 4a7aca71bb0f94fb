using System.Globalization;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Collection;

/// <summary><see cref="ThreadExporter.Collection.Sampler"/> in a running daemon.</summary>
/// <remarks>Not in parallel with other tests: saturation needs a core that no other process uses.</remarks>
[Collection(nameof(SaturatedThreadTests))]
[CollectionDefinition(nameof(SaturatedThreadTests), DisableParallelization = true)]
public class SaturatedThreadTests
{
    [SlowFact]
    public async Task Saturation_of_300_ms_is_measured_whatever_the_scrape_interval()
    {
        using Workload workload = new();
        int tid = workload.Get("steps burst");
        await using Daemon daemon = await Daemon.StartAsync(["--filter", $"{workload.Pid}"]);
        using CancellationTokenSource done = new();
        // A second server with a very short interval.
        Task other = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                await daemon.ScrapeAsync();
                await Task.Delay(7);
            }
        }, TestContext.Current.CancellationToken);

        double saturated = 0, peak = 0;
        // On a busy machine the thread may be interrupted and then does not saturate a core, so there are several attempts.
        for (int attempt = 0; attempt < 20 && (saturated is < 0.25 or > 0.36 || peak < 0.9); attempt++)
        {
            // Long enough for the sampler to sample the process less often.
            await Task.Delay(1500 + attempt * 37, TestContext.Current.CancellationToken);
            double before = Value(await daemon.ScrapeParsedAsync(), "perfscale_thread_saturated_seconds_total", tid);
            workload.Do($"do {tid} burst 300000");
            await Task.Delay(250, TestContext.Current.CancellationToken);
            Support.ParsedScrape scrape = await daemon.ScrapeParsedAsync();
            saturated = Value(scrape, "perfscale_thread_saturated_seconds_total", tid) - before;
            peak = Value(scrape, "perfscale_thread_cpu_peak_ratio", tid);
        }
        await done.CancelAsync();
        await other;
        Assert.InRange(saturated, 0.25, 0.36);
        Assert.InRange(peak, 0.9, 1);
    }

    private static double Value(Support.ParsedScrape scrape, string name, int tid) =>
        scrape.Of(name).Single(s => s.Labels["tid"] == tid.ToString(CultureInfo.InvariantCulture)).Number;
}
