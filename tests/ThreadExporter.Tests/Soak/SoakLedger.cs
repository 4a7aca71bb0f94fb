using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Soak;

/// <summary>
/// Checks that the CPU time adds up: between two successive collections, the increase of a process is that of its shown threads, its folded
/// time and its transient time, to the nanosecond.
/// </summary>
internal static class SoakLedger
{
    private const string Process = "perfscale_process_cpu_seconds_total";
    private const string Thread = "perfscale_thread_cpu_seconds_total";
    private const string Folded = "perfscale_process_folded_threads_cpu_seconds_total";
    private const string Transient = "perfscale_process_transient_threads_cpu_seconds_total";

    /// <summary>Whether no other collection was made between the two, for another scraper or a reload.</summary>
    public static bool AreSuccessive(Support.ParsedScrape before, Support.ParsedScrape after) => Collections(after) == Collections(before) + 1;

    /// <summary>Checks the processes that both scrapes show.</summary>
    /// <returns>How many there are.</returns>
    public static int Check(Support.ParsedScrape before, Support.ParsedScrape after)
    {
        Dictionary<string, long> explained = [];
        foreach (Sample sample in after.Samples.Where(s => s.Name is Thread or Folded or Transient))
        {
            string pid = sample.Labels[sample.Name == Thread ? "ppid" : "pid"];
            if (before.Find(sample) is { } earlier)
                explained[pid] = explained.GetValueOrDefault(pid) + sample.Nanoseconds - earlier.Nanoseconds;
        }
        int processes = 0;
        foreach (Sample sample in after.Of(Process))
        {
            if (before.Find(sample) is not { } earlier || Start(before, sample) != Start(after, sample))
                continue;
            string pid = sample.Labels["pid"];
            long gained = sample.Nanoseconds - earlier.Nanoseconds;
            Assert.True(gained == explained.GetValueOrDefault(pid), $"process {pid} gained {gained} ns, of which {explained.GetValueOrDefault(pid)} ns are explained");
            processes++;
        }
        return processes;
    }

    private static double Collections(Support.ParsedScrape scrape) => scrape.Value("thread_exporter_collections_total");

    // A reused pid is another process.
    private static string? Start(Support.ParsedScrape scrape, Sample process) =>
        scrape.Of("perfscale_process_start_time_seconds").SingleOrDefault(s => s.Labels["pid"] == process.Labels["pid"])?.Value;
}
