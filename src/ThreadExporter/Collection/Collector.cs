using System.Globalization;
using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Matching;
using ThreadExporter.Model;
using ThreadExporter.Procfs;
using ThreadExporter.Series;
using ThreadExporter.Settings;

namespace ThreadExporter.Collection;

/// <summary>
/// Discovers and reads the watched processes, selects their series and books their CPU time. Synchronous, and not thread-safe: the caller
/// holds the collection gate.
/// </summary>
internal sealed class Collector : IDisposable
{
    private static readonly TimeSpan HidingInterval = TimeSpan.FromMinutes(1);

    private readonly ProcfsRoot _root;
    private readonly CollectionGate? _gate;
    private readonly TimeProvider _time;
    private readonly CollectionDiagnostics _errors;
    private readonly RecurringWarning _hidingWarning;
    private readonly RecurringWarning _foldedWarning;
    private readonly DescriptorBudget _budget;
    private readonly ProcessTable _table;
    private readonly ProcessReader _reader;
    private readonly SeriesSelector _selector = new();
    private readonly List<WatchedProcess> _gone = [];
    private long _discoveredAt;
    private long _hidingReadAt;

    /// <param name="root">The /proc to read.</param>
    /// <param name="gate">The gate that must be held; null: only one thread uses this collector.</param>
    /// <param name="descriptorLimit">The most descriptors that this process may have, below RLIMIT_NOFILE, which is read in each collection.</param>
    /// <param name="time">The clock of the collections; null: the system's.</param>
    public Collector(ProcfsRoot root, CollectionGate? gate = null, long descriptorLimit = long.MaxValue, TimeProvider? time = null)
    {
        _root = root;
        _gate = gate;
        _time = time ?? TimeProvider.System;
        _errors = new CollectionDiagnostics(_time);
        _hidingWarning = new RecurringWarning(_time);
        _foldedWarning = new RecurringWarning(_time);
        _budget = new DescriptorBudget(descriptorLimit);
        _table = new ProcessTable(root, _budget, _errors);
        _reader = new ProcessReader(root, _budget, _errors);
        HasSchedInfo = root.HasSchedInfo;
    }

    /// <summary>The processes of the last collection, sorted by pid.</summary>
    public IReadOnlyList<WatchedProcess> Processes => _table.Watched;

    /// <summary>Read errors and warnings since the start.</summary>
    public CollectionDiagnostics Errors => _errors;

    /// <summary>The mount option of /proc that hides other users' processes from this one; null: none.</summary>
    public string? HiddenBy { get; private set; }

    /// <summary>Processes that this process has no permission to read.</summary>
    public int DeniedProcesses => _table.Denied;

    /// <summary>False: the kernel has no sched info, so run-queue wait and timeslices are unknown.</summary>
    public bool HasSchedInfo { get; }

    /// <summary>The extended counters that the last collection read.</summary>
    public ExtendedKinds Extended { get; private set; }

    /// <summary>Collections made since the start.</summary>
    public long Collections { get; private set; }

    /// <summary>Watched threads at the last collection.</summary>
    public int Threads { get; private set; }

    /// <summary>Descriptors kept open on /proc.</summary>
    public int Descriptors => _budget.Kept;

    /// <summary>Thread series that the filters select and that <c>max_threads</c> or <c>max_samples</c> hides.</summary>
    public int FoldedAtLimit => _selector.Excess;

    /// <summary>Whether <c>max_samples</c> is the limit that hides them.</summary>
    public bool DetailLowered { get; private set; }

    /// <summary>How long the last collection took to find the processes.</summary>
    public TimeSpan DiscoverDuration { get; private set; }

    /// <summary>How long the last collection took to read the processes, select the series and book the CPU time.</summary>
    public TimeSpan ReadDuration { get; private set; }

    /// <summary>
    /// Finds new and exited processes between collections, for the pages, at most every two seconds. Threads are not read: only a collection
    /// books CPU time.
    /// </summary>
    /// <param name="snapshot">The active configuration.</param>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    public void Discover(ConfigSnapshot snapshot, long now)
    {
        AssertExclusive();
        if (_discoveredAt != 0 && now - _discoveredAt < Nanoseconds(TimeSpan.FromSeconds(2)))
            return;
        _table.Update(snapshot.Matcher, now, Nanoseconds(snapshot.Config.Collector.RescanInterval));
        FindHiding(now);
        _discoveredAt = now;
    }

    /// <summary>
    /// One collection: discovers processes, reads them and their threads, selects the series that are shown and books their CPU time. A
    /// read that fails is counted and leaves the previous value; a process that has exited is dropped.
    /// </summary>
    /// <param name="snapshot">The active configuration.</param>
    public void Collect(ConfigSnapshot snapshot)
    {
        AssertExclusive();
        long start = _time.GetTimestamp();
        long now = Clocks.MonotonicNanoseconds(_time);
        _discoveredAt = now;
        ThisProcess.TryCountOpenFiles(out long open);
        bool changed = _budget.Set(snapshot.Config.Collector.MaxDescriptors, ThisProcess.MaxOpenFiles(), open);
        changed |= Extended != snapshot.Config.Collector.Extended;
        Extended = snapshot.Config.Collector.Extended;
        _table.Update(snapshot.Matcher, now, Nanoseconds(snapshot.Config.Collector.RescanInterval));
        // Not in each collection: the mount table may have thousands of lines.
        if (_hidingReadAt == 0 || now - _hidingReadAt >= Nanoseconds(HidingInterval))
            FindHiding(now);
        DiscoverDuration = _time.GetElapsedTime(start);

        start = _time.GetTimestamp();
        SamplerConfig sampler = snapshot.Config.Sampler;
        CollectionPass pass = new(Collections + 1, now, Nanoseconds(snapshot.Config.Collector.RefreshInterval),
            sampler.Enabled && HasSchedInfo ? Nanoseconds(sampler.Interval) : 0, Nanoseconds(sampler.PeakWindow), changed, Extended);
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
            _errors.CountReadError(ReadStatus.Gone);
            _table.Remove(process);
        }
        _gone.Clear();
        if (_errors.IoDenied.IsActive && !_table.Watched.Any(p => p.Threads.Any(LacksIo)))
            _errors.IoDenied.End();
        SelectSeries(snapshot.Config, pass);
        foreach (WatchedProcess process in _table.Watched)
            CpuLedger.Settle(process, pass);
        ReadDuration = _time.GetElapsedTime(start);
        Collections++;
    }

    /// <summary>Checks that the gate is held. To be called before the processes of this collector are used.</summary>
    /// <exception cref="InvalidOperationException">The gate is not held.</exception>
    public void AssertExclusive() => _gate?.AssertHeld();

    /// <summary>The warnings to log since the last call, one line each.</summary>
    public IReadOnlyList<string> TakeWarnings() => _errors.TakeWarnings();

    private static bool LacksIo(WatchedThread thread) =>
        (thread.Reading.Extended & ExtendedKinds.Io) != 0 && thread.Reading.Counters[CounterKind.ReadBytes] < 0;

    private void FindHiding(long now)
    {
        _hidingReadAt = now;
        HiddenBy = HidePid.OptionThatHides(_root);
        if (HiddenBy is null)
            _hidingWarning.End();
        else if (_hidingWarning.Start())
            _errors.Warn($"{_root.Path} is mounted with {HiddenBy}, so processes of other users cannot be watched: requires CAP_SYS_PTRACE, or the group of the mount option gid=");
    }

    private void SelectSeries(ExporterConfig config, in CollectionPass pass)
    {
        int bySamples = SampleBudget.SeriesWithin(config, HasSchedInfo, _table.Watched.Count);
        int limit = Math.Min(config.Collector.MaxThreads, bySamples);
        _selector.Select(_table.Watched, pass, limit);
        DetailLowered = FoldedAtLimit > 0 && bySamples < config.Collector.MaxThreads;
        if (FoldedAtLimit == 0)
        {
            _foldedWarning.End();
        }
        else if (_foldedWarning.Start())
        {
            _errors.Warn(string.Create(CultureInfo.InvariantCulture,
                $"{FoldedAtLimit} thread series exceed collector.{(DetailLowered ? "max_samples" : "max_threads")}: the {limit} with the highest CPU use are shown, the others are folded. Select fewer threads with [filter.threads], or raise the limit"));
        }
    }

    private static long Nanoseconds(TimeSpan time) => time.Ticks * TimeSpan.NanosecondsPerTick;

    public void Dispose() => _table.Dispose();
}
