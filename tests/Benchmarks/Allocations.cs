using ThreadExporter.Collection;
using ThreadExporter.Configuration;
using ThreadExporter.Exposition;
using ThreadExporter.Matching;
using ThreadExporter.Procfs;
using ThreadExporter.Settings;

namespace ThreadExporter.Benchmarks;

/// <summary>What the way from a request to its body allocates, HTTP left out: that a scrape of more threads allocates no more.</summary>
internal static class Allocations
{
    private const int WarmUp = 20;
    private const int Scrapes = 50;

    /// <summary>Managed bytes per scrape of one process, by all threads of this program.</summary>
    public static async Task<long> OfScrapeAsync(int pid)
    {
        ExporterConfig config = new() { Filters = [new FilterConfig { Name = "bench", Pid = [pid] }] };
        ConfigSnapshot snapshot = new(config, Matcher.Compile(config.Filters), DateTimeOffset.UnixEpoch);
        using ProcfsRoot root = ProcfsRoot.Open("/proc");
        CollectionGate gate = new();
        using Collector collector = new(root, gate);
        ScrapeCoordinator coordinator = new(collector, gate, new SelfMetrics(), () => snapshot);
        for (int i = 0; i < WarmUp; i++)
            await ScrapeAsync(coordinator);
        long before = GC.GetTotalAllocatedBytes(precise: true);
        for (int i = 0; i < Scrapes; i++)
            await ScrapeAsync(coordinator);
        return (GC.GetTotalAllocatedBytes(precise: true) - before) / Scrapes;
    }

    private static async Task ScrapeAsync(ScrapeCoordinator coordinator) => (await coordinator.GetAsync(default)).Release();
}
