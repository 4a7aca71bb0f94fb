namespace ThreadExporter.Tests.Support;

/// <summary>
/// Audits the books from the text alone, as a Prometheus server sees it: after each scrape the sum of what rose since
/// the one before, and at the end what increase() over the whole run would say.
/// </summary>
internal sealed class Ledger
{
    private const string Process = "perfscale_process_cpu_seconds_total";
    private const string Thread = "perfscale_thread_cpu_seconds_total";
    private static readonly string[] Parts = [Thread, "perfscale_process_folded_threads_cpu_seconds_total", "perfscale_process_transient_threads_cpu_seconds_total"];

    private readonly Dictionary<string, long> _last = [];
    private ParsedScrape? _before;

    /// <summary>The largest difference between two scrapes' sums, in nanoseconds; 0 when the books are closed.</summary>
    public long LargestError { get; private set; }

    public int Intervals { get; private set; }

    /// <summary>increase() of every series since its first sample, in nanoseconds: a fall counts as a restart from 0.</summary>
    public Dictionary<string, long> Increases { get; } = [];

    public void Take(string text)
    {
        ParsedScrape now = ParsedScrape.Parse(text);
        if (_before is { } before)
        {
            foreach (Sample process in now.Of(Process))
            {
                if (before.Find(process) is not null)
                    Audit(before, now, process);
            }
        }
        foreach ((string key, Sample sample) in now.Series.Where(s => s.Value.Name.EndsWith("_total", StringComparison.Ordinal)))
        {
            if (_last.TryGetValue(key, out long last))
                Increases[key] = Increases.GetValueOrDefault(key) + Rise(last, sample.Nanoseconds);
            _last[key] = sample.Nanoseconds;
        }
        _before = now;
    }

    /// <summary>What the processes used over the run, less what its parts add up to, as increase() has it. 0 when nothing was counted twice or lost.</summary>
    public long ErrorOfTheWholeRun => Sum(Process) - Parts.Sum(Sum);

    public long Sum(string metric) => Increases.Where(i => i.Key.StartsWith(metric + "{", StringComparison.Ordinal)).Sum(i => i.Value);

    private void Audit(ParsedScrape before, ParsedScrape now, Sample process)
    {
        Intervals++;
        string owner = process.Labels["pid"];
        long rest = Rise(before.Find(process)!.Nanoseconds, process.Nanoseconds);
        foreach (Sample part in Parts.SelectMany(now.Of).Where(s => (s.Labels.GetValueOrDefault("pid") ?? s.Labels["ppid"]) == owner))
        {
            if (before.Find(part) is { } earlier)
                rest -= Rise(earlier.Nanoseconds, part.Nanoseconds);
        }
        LargestError = Math.Max(LargestError, Math.Abs(rest));
    }

    private static long Rise(long before, long now) => now < before ? now : now - before;
}
