using System.Diagnostics;
using ThreadExporter.Configuration;
using ThreadExporter.Procfs;

namespace ThreadExporter.Collection;

/// <summary>
/// One synchronous pass over the watched processes: discover, then read. Not thread-safe: whoever calls holds the one
/// collection lock (the exposition does).
/// </summary>
internal sealed class Collector : IDisposable
{
    private readonly ReadErrors _errors = new();
    private readonly DescriptorBudget _budget;
    private readonly ProcessTable _table;
    private readonly ProcessReader _reader;
    private readonly List<WatchedProcess> _gone = [];

    /// <param name="root">The /proc to read.</param>
    /// <param name="descriptorLimit">How many descriptors this process may have at most; RLIMIT_NOFILE, as it is at each collection, bounds them too.</param>
    public Collector(ProcfsRoot root, long descriptorLimit = long.MaxValue)
    {
        _budget = new DescriptorBudget(descriptorLimit);
        _table = new ProcessTable(root, _budget, _errors);
        _reader = new ProcessReader(root, _budget, _errors);
        HasSchedInfo = root.HasSchedInfo;
    }

    /// <summary>The processes of the last collection, sorted by pid.</summary>
    public IReadOnlyList<WatchedProcess> Processes => _table.Watched;

    public ReadErrors Errors => _errors;

    /// <summary>Where the kernel has no sched info, run-queue wait and timeslices are not known.</summary>
    public bool HasSchedInfo { get; }

    public long Collections { get; private set; }
    public int Threads { get; private set; }
    public int Descriptors => _budget.Kept;
    public TimeSpan DiscoverDuration { get; private set; }
    public TimeSpan ReadDuration { get; private set; }

    public void Collect(ConfigSnapshot snapshot)
    {
        long begin = Stopwatch.GetTimestamp();
        long now = Clocks.MonotonicNanoseconds();
        OpenDescriptors.TryCount(out long open);
        bool budgetChanged = _budget.Set(snapshot.Config.Collector.MaxDescriptors, Limits.OpenFiles(), open);
        _table.Update(snapshot.Matcher, now, Nanoseconds(snapshot.Config.Collector.RescanInterval));
        DiscoverDuration = Stopwatch.GetElapsedTime(begin);

        begin = Stopwatch.GetTimestamp();
        SamplerConfig sampler = snapshot.Config.Sampler;
        Pass pass = new(Collections + 1, now, Nanoseconds(snapshot.Config.Collector.RefreshInterval),
            sampler.Enabled && HasSchedInfo ? Nanoseconds(sampler.Interval) : 0, Nanoseconds(sampler.PeakWindow), budgetChanged);
        Threads = 0;
        foreach (WatchedProcess process in _table.Watched)
        {
            if (_reader.Read(process, pass))
                Threads += process.Threads.Count;
            else
                _gone.Add(process);
        }
        foreach (WatchedProcess process in _gone)
        {
            _errors.Count(ReadStatus.Gone);
            _table.Remove(process);
        }
        _gone.Clear();
        ReadDuration = Stopwatch.GetElapsedTime(begin);
        Collections++;
    }

    private static long Nanoseconds(TimeSpan time) => time.Ticks * TimeSpan.NanosecondsPerTick;

    public void Dispose() => _table.Dispose();
}
