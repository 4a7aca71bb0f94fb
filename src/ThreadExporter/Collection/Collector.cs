using System.Globalization;
using ThreadExporter.Cgroups;
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

    // Of max_samples; beyond it new names of exited threads and processes share series.
    private const int LargestExitedShare = 4;

    private readonly ProcfsRoot _root;
    private readonly CollectionGate? _gate;
    private readonly TimeProvider _time;
    private readonly CollectionDiagnostics _errors;
    private readonly RecurringWarning _hidingWarning;
    private readonly RecurringWarning _foldedWarning;
    private readonly DescriptorBudget _budget;
    private readonly ProcessTable _table;
    private readonly ProcessReader _reader;
    private readonly ProcessGroups _groups = new();
    private readonly SeriesSelector _selector = new();
    private readonly List<SeriesOwner> _owners = [];
    private readonly List<WatchedProcess> _gone = [];
    private readonly CgroupCollector? _cgroups;
    private ulong _previousTicks = ulong.MaxValue;
    private int _previousUpdate;
    private long _discoveredAt;
    private long _hidingReadAt;

    /// <param name="root">The /proc to read.</param>
    /// <param name="gate">The gate that must be held; null: only one thread uses this collector.</param>
    /// <param name="descriptorLimit">The most descriptors that this process may have, below RLIMIT_NOFILE, which is read in each collection.</param>
    /// <param name="time">The clock of the collections; null: the system's.</param>
    /// <param name="cgroups">The cgroups of the processes; null: there are no cgroup series. It is disposed of with the collector.</param>
    public Collector(ProcfsRoot root, CollectionGate? gate = null, long descriptorLimit = long.MaxValue, TimeProvider? time = null, CgroupTable? cgroups = null)
    {
        _root = root;
        _gate = gate;
        _time = time ?? TimeProvider.System;
        _errors = new CollectionDiagnostics(_time);
        _hidingWarning = new RecurringWarning(_time);
        _foldedWarning = new RecurringWarning(_time);
        Cgroups = cgroups;
        _budget = new DescriptorBudget(descriptorLimit);
        _table = new ProcessTable(root, _budget, _errors, cgroups is null ? null : new CgroupFinder(cgroups, _errors));
        _cgroups = cgroups is null ? null : new CgroupCollector(cgroups, _budget, _errors, _time);
        _reader = new ProcessReader(root, _budget, _errors);
        HasSchedInfo = root.HasSchedInfo;
    }

    /// <summary>The processes of the last collection, sorted by pid.</summary>
    public IReadOnlyList<WatchedProcess> Processes => _table.Watched;

    /// <summary>All processes of the last listing, watched or not.</summary>
    public IReadOnlyCollection<ProcessEntry> Listed => _table.Listed;

    /// <summary>What has series, as of the last collection: the processes outside of groups, sorted by pid, then the groups.</summary>
    public IReadOnlyList<SeriesOwner> Owners => _owners;

    /// <summary>Read errors and warnings since the start.</summary>
    public CollectionDiagnostics Errors => _errors;

    /// <summary>Exit records. Not used before <see cref="ExitSubscription.Open"/> was called.</summary>
    public ExitCollector Exits { get; } = new();

    /// <summary>The cgroups of the processes; null: there are no cgroup series.</summary>
    public CgroupTable? Cgroups { get; }

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

    /// <summary>Descriptors kept open on /proc and on the cgroup file system.</summary>
    public int Descriptors => _budget.Kept;

    /// <summary>Thread series that the filters select and that <c>max_threads</c> or <c>max_samples</c> hides.</summary>
    public int FoldedAtLimit => _selector.Excess;

    /// <summary>Whether <c>max_samples</c> is the limit that hides them.</summary>
    public bool DetailLowered { get; private set; }

    /// <summary>How long the last collection took to find the processes.</summary>
    public TimeSpan DiscoverDuration { get; private set; }

    /// <summary>How long the last collection took to read the processes, select the series and book the CPU time.</summary>
    public TimeSpan ReadDuration { get; private set; }

    /// <summary>Takes exit records between collections.</summary>
    /// <param name="snapshot">The active configuration.</param>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    /// <returns>When the next call is due, CLOCK_MONOTONIC ns.</returns>
    public long DrainExits(ConfigSnapshot snapshot, long now)
    {
        AssertExclusive();
        Exits.Drain(snapshot, _table, now);
        return Exits.Subscription.IsOpen ? now + ExitCollector.Interval : long.MaxValue;
    }

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
        ulong ticks = Clocks.TicksSinceBoot();
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
        CollectionPass pass = new(Collections + 1, now, _previousTicks, _previousUpdate, Nanoseconds(snapshot.Config.Collector.RefreshInterval),
            sampler.Enabled && HasSchedInfo ? Nanoseconds(sampler.Interval) : 0, Nanoseconds(sampler.PeakWindow), changed, Extended);
        (_previousTicks, _previousUpdate) = (ticks, _table.UpdateNumber);
        Threads = 0;
        // Before any member's own time: what a parent waits for meanwhile is then in neither, and in its waited-for time at the next collection.
        foreach (WatchedProcess process in _table.Watched)
        {
            if (process.Filter.Config.Group)
                _reader.ReadWaited(process, pass);
        }
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
        // Threads, then clocks, then records: whatever a clock contains of an exited thread has a record by now.
        Exits.Drain(snapshot, _table, now);
        _cgroups?.Read(_table.Watched, now, Nanoseconds(snapshot.Config.Collector.RefreshInterval));
        _groups.Update(_table.Watched, snapshot.Matcher.Filters, _table.IsAlive, pass);
        Exits.Resolve(_table, pass);
        ListOwners();
        SelectSeries(snapshot.Config, pass, ShowExited(snapshot, now));
        foreach (WatchedProcess process in _table.Watched)
            CpuLedger.Settle(process, pass, Exits.Ledger);
        foreach (ProcessGroup group in _groups.Shown)
            GroupLedger.Settle(group, pass, Exits.Ledger, _table.Find);
        _table.ForgetExited();
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

    private void ListOwners()
    {
        _owners.Clear();
        foreach (WatchedProcess process in _table.Watched)
        {
            if (process.Membership is null)
                _owners.Add(process);
        }
        _owners.AddRange(_groups.Shown);
    }

    private void SelectSeries(ExporterConfig config, in CollectionPass pass, int exitedSamples)
    {
        int bySamples = SampleBudget.SeriesWithin(config, HasSchedInfo, _owners.Count, exitedSamples + (_cgroups?.Samples(_owners) ?? 0));
        int limit = Math.Min(config.Collector.MaxThreads, bySamples);
        _selector.Select(_owners, pass, limit);
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

    /// <summary>Shows the series of exited threads and processes, which are not to take the room of live threads.</summary>
    /// <returns>How many samples they have.</returns>
    private int ShowExited(ConfigSnapshot snapshot, long now)
    {
        int limit = snapshot.Config.Collector.MaxSamples / LargestExitedShare;
        Exits.Processes.Show(snapshot.Matcher.Filters, now);
        int samples = Exits.Processes.Samples;
        foreach (SeriesOwner owner in _owners)
        {
            ExitLedger.ShowSeries(owner, hasRoom: samples < limit);
            if (owner is WatchedProcess && owner.Exits is { } exits)
                samples += SampleBudget.PerExited * exits.Names.Series.Count;
        }
        Exits.Processes.HasRoom = samples < limit;
        return samples;
    }

    private static long Nanoseconds(TimeSpan time) => time.Ticks * TimeSpan.NanosecondsPerTick;

    public void Dispose()
    {
        Exits.Dispose();
        Cgroups?.Dispose();
        _table.Dispose();
    }
}
