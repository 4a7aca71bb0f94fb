using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Soak;

/// <summary>
/// The closed books: between two successive collections what a process's counter gains is what its shown threads gain, and what is
/// folded, and what threads used that came and went, to the nanosecond.
/// </summary>
internal static class SoakLedger
{
    private const string Process = "perfscale_process_cpu_seconds_total";
    private const string Thread = "perfscale_thread_cpu_seconds_total";
    private const string Folded = "perfscale_process_folded_threads_cpu_seconds_total";
    private const string Transient = "perfscale_process_transient_threads_cpu_seconds_total";

    /// <summary>Whether no collection was made between the two: another scraper's, a reload's.</summary>
    public static bool AreSuccessive(Support.ParsedScrape before, Support.ParsedScrape after) => Collections(after) == Collections(before) + 1;

    /// <summary>Checks every process that both scrapes show. Returns how many.</summary>
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

    // A pid given out again is another process.
    private static string? Start(Support.ParsedScrape scrape, Sample process) =>
        scrape.Of("perfscale_process_start_time_seconds").SingleOrDefault(s => s.Labels["pid"] == process.Labels["pid"])?.Value;
}
