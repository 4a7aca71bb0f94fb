namespace ThreadExporter.Tests.Support;

/// <summary>Which collections the scrapes given to a <see cref="Ledger"/> come from.</summary>
internal enum LedgerScope
{
    /// <summary>Every scrape is checked against the one before: no other collection was made in between.</summary>
    EveryCollection,

    /// <summary>Other scrapers and reloads make collections too: a scrape is checked only when none was made since the one before.</summary>
    SomeCollections,
}

/// <summary>
/// Checks from the text alone, as a Prometheus server sees it, that the CPU time adds up: between two successive collections the counter of
/// a process increases by as much as its threads, folded and transient time together, to the nanosecond. At the end it has what increase()
/// over the whole run would return.
/// </summary>
internal sealed class Ledger(LedgerScope scope = LedgerScope.EveryCollection)
{
    private const string Process = "perfscale_process_cpu_seconds_total";
    private const string Thread = "perfscale_thread_cpu_seconds_total";
    private static readonly string[] Parts = [Thread, "perfscale_process_folded_threads_cpu_seconds_total", "perfscale_process_transient_threads_cpu_seconds_total",
        "perfscale_process_exited_threads_cpu_seconds_total"];

    private readonly Dictionary<string, long> _last = [];
    private ParsedScrape? _before;

    /// <summary>The first pair of scrapes that did not add up; null: all did.</summary>
    public string? Error { get; private set; }

    /// <summary>Pairs of scrapes that were checked, counted for each process.</summary>
    public int Intervals { get; private set; }

    /// <summary>increase() of every series since its first sample, in nanoseconds: after a fall it counts from 0.</summary>
    public Dictionary<string, long> Increases { get; } = [];

    /// <summary>CPU time of the processes over the whole run minus its parts, by increase(). 0 when nothing was counted twice or lost.</summary>
    public long ErrorOfTheWholeRun => Sum(Process) - Parts.Sum(Sum);

    public long Sum(string metric) => Increases.Where(i => i.Key.StartsWith(metric + "{", StringComparison.Ordinal)).Sum(i => i.Value);

    public void Take(string text) => Take(ParsedScrape.Parse(text));

    public void Take(ParsedScrape now)
    {
        if (_before is { } before && (scope == LedgerScope.EveryCollection || Collections(now) == Collections(before) + 1))
        {
            foreach (Sample process in now.Of(Process))
            {
                // With another start time it is another process under the same pid.
                if (before.Find(process) is { } earlier && Start(before, process) == Start(now, process))
                    Check(before, now, process, Rise(earlier.Nanoseconds, process.Nanoseconds));
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

    private void Check(ParsedScrape before, ParsedScrape now, Sample process, long rise)
    {
        Intervals++;
        string owner = Owner(process);
        long parts = 0;
        foreach (Sample part in Parts.SelectMany(now.Of).Where(s => Owner(s) == owner))
        {
            if (before.Find(part) is { } earlier)
                parts += Rise(earlier.Nanoseconds, part.Nanoseconds);
        }
        if (rise != parts)
            Error ??= $"{owner} used {rise} ns, its parts {parts} ns";
    }

    /// <summary>The pid, or the labels of a group.</summary>
    private static string Owner(Sample sample) => (sample.Labels.GetValueOrDefault("pid") ?? sample.Labels.GetValueOrDefault("ppid"))
        is { } pid ? $"process {pid}"
        : string.Join(' ', sample.Labels.Where(l => l.Key != "tname").Select(l => $"{l.Key}={l.Value}"));

    private static double Collections(ParsedScrape scrape) => scrape.Value("thread_exporter_collections_total");

    private static string? Start(ParsedScrape scrape, Sample process) =>
        !process.Labels.TryGetValue("pid", out string? pid) ? "" // A group may have other processes, and is the same.
        : scrape.Of("perfscale_process_start_time_seconds").SingleOrDefault(s => s.Labels.GetValueOrDefault("pid") == pid)?.Value;

    private static long Rise(long before, long now) => now < before ? now : now - before;
}
