using System.Diagnostics.CodeAnalysis;
using System.Text;
using ThreadExporter.Linux;
using ThreadExporter.Matching;
using ThreadExporter.Model;
using ThreadExporter.Procfs;

namespace ThreadExporter.Collection;

/// <summary>
/// All processes of /proc, and the filter that selects each. A new process is matched at once, a known one again after
/// <c>rescan_interval</c>, because exec and rename change what filters match.
/// </summary>
/// <param name="root">The /proc to read.</param>
/// <param name="budget">Limits the descriptors that are kept.</param>
/// <param name="errors">Counts the reads that fail.</param>
/// <param name="cgroups">Finds the cgroups of watched processes; null: they are not looked for.</param>
/// <param name="bootTime">The boot time by the current wall clock, in nanoseconds since the epoch; null: from the kernel's clocks.</param>
internal sealed class ProcessTable(ProcfsRoot root, DescriptorBudget budget, CollectionDiagnostics errors, CgroupFinder? cgroups = null, Func<long>? bootTime = null) : IDisposable
{
    // Smaller changes are drift of the wall clock; processes that started together keep equal start times.
    private const long ClockStep = 1_000_000_000;

    // The hot page lists /proc without collections.
    private const int MaxExited = 10_000;

    private readonly Dictionary<int, ProcessEntry> _entries = [];
    private readonly List<WatchedProcess> _watched = [];
    private readonly CommandLineReader _commandLines = new(errors);
    private readonly PidList _pids = new(root);
    private readonly Stack<ProcessEntry> _ancestors = [];
    private readonly byte[] _buffer = new byte[4096];
    private readonly Func<long> _readBootTime = bootTime ?? Clocks.BootTimeNanoseconds;
    // The parents of processes that have exited since the last collection.
    private readonly Dictionary<int, int> _exited = [];
    private long _bootTime;
    private Matcher? _matcher;

    /// <summary>The processes that a filter selects, sorted by pid.</summary>
    public IReadOnlyList<WatchedProcess> Watched => _watched;

    /// <summary>All processes of the last listing, watched or not.</summary>
    public IReadOnlyCollection<ProcessEntry> Listed => _entries.Values;

    /// <summary>The number of the last update, counted from 1.</summary>
    public int UpdateNumber { get; private set; }

    /// <summary>
    /// Processes whose <c>stat</c>, <c>status</c> or <c>cgroup</c> could not be read for lack of permission when they were last matched.
    /// </summary>
    public int Denied { get; private set; }

    /// <summary>Lists /proc, unless nothing has started or ended, and matches the processes that are new, due, or whose last match was incomplete.</summary>
    /// <param name="matcher">The active filters. After a reload all processes are matched again.</param>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    /// <param name="rescanInterval">Nanoseconds after which a known process is matched again.</param>
    public void Update(Matcher matcher, long now, long rescanInterval)
    {
        bool reloaded = !ReferenceEquals(matcher, _matcher);
        _matcher = matcher;
        UpdateNumber++;
        bool usersChanged = matcher.BeginPass();
        _commandLines.StartCollection();
        cgroups?.Begin();
        // The wall clock may be set: a host may boot in 1970. Processes that are known keep their start time.
        if (_readBootTime() is var boot && Math.Abs(boot - _bootTime) > ClockStep)
            _bootTime = boot;
        errors.CountReadError(_pids.Update(now));

        foreach (int pid in _pids.Pids)
        {
            if (!_entries.TryGetValue(pid, out ProcessEntry? entry))
                _entries.Add(pid, entry = new ProcessEntry(pid));
            entry.SeenInUpdate = UpdateNumber;
            entry.Due = reloaded || usersChanged || now >= entry.NextCheck;
            if (reloaded)
                entry.Inherited = FilterSet.Empty;
        }
        foreach (int pid in _pids.Pids)
        {
            ProcessEntry entry = _entries[pid];
            if (entry.Due)
                CheckWithAncestors(entry, now, rescanInterval);
        }
        foreach (ProcessEntry entry in _entries.Values)
        {
            if (entry.SeenInUpdate != UpdateNumber)
                Remove(entry);
        }
        _watched.Clear();
        Denied = 0;
        foreach (ProcessEntry entry in _entries.Values)
        {
            if (entry.Watched is { } process)
                _watched.Add(process);
            matcher.CountExeDenied(entry.Pid, entry.ExeDenied);
            if (entry.IsDenied)
                Denied++;
        }
        matcher.EndPass(_entries.ContainsKey);
        _watched.Sort((a, b) => a.Pid.CompareTo(b.Pid));
    }

    /// <summary>Whether a process exists as of the last update and reads, watched or not.</summary>
    public bool IsAlive(WatchedProcess process) => _entries.TryGetValue(process.Pid, out ProcessEntry? entry) && entry.StartTicks == process.StartTicks;

    /// <summary>A process that is listed, or that has exited since <see cref="ForgetExited"/> was last called.</summary>
    public ListedProcess? Find(int pid) =>
        _entries.TryGetValue(pid, out ProcessEntry? entry) ? new ListedProcess(entry.ParentPid, entry.StartTicks, IsAlive: true)
        : _exited.TryGetValue(pid, out int parent) ? new ListedProcess(parent, 0, IsAlive: false) : null;

    /// <summary>Forgets the processes that have exited. To be called at the end of a collection.</summary>
    public void ForgetExited() => _exited.Clear();

    /// <summary>The first filter that matches a process that was never listed.</summary>
    /// <param name="comm">Its name.</param>
    /// <param name="realUid">Its real user.</param>
    /// <param name="parent">Its parent, whose filters it may inherit.</param>
    public CompiledFilter? MatchExited(byte[] comm, uint realUid, int parent) =>
        _matcher?.MatchExited(comm, realUid, _entries.TryGetValue(parent, out ProcessEntry? entry) ? entry.ToChildren : FilterSet.Empty);

    /// <summary>Drops a process that had exited when it was read.</summary>
    public void Remove(WatchedProcess process)
    {
        Remove(_entries[process.Pid]);
        _watched.Remove(process);
    }

    private void Remove(ProcessEntry entry)
    {
        Release(entry);
        _entries.Remove(entry.Pid);
        if (_exited.Count < MaxExited)
            _exited[entry.Pid] = entry.ParentPid;
    }

    public void Dispose()
    {
        foreach (ProcessEntry entry in _entries.Values)
            Release(entry);
        _entries.Clear();
        _commandLines.Dispose();
    }

    // A filter with `children` is inherited, so parents are matched first. The order of pids does not help, since pids wrap.
    private void CheckWithAncestors(ProcessEntry entry, long now, long rescanInterval)
    {
        for (ProcessEntry? e = entry; e is { Due: true }; e = _matcher!.NeedsAncestry ? _entries.GetValueOrDefault(e.ParentPid) : null)
        {
            e.Due = false;
            if (ReadIdentity(e))
                _ancestors.Push(e);
        }
        while (_ancestors.TryPop(out ProcessEntry? next))
            Decide(next, now, rescanInterval);
    }

    private bool ReadIdentity(ProcessEntry entry)
    {
        ReadStatus status = ReadStat(entry, out ProcStat stat);
        if (entry.Watched is not null && (status == ReadStatus.Gone || (status == ReadStatus.Ok && entry.StartTicks != stat.StartTicks)))
        {
            // The kept directory shows that the old process has exited. Another one may already have its pid.
            Release(entry);
            status = ReadStat(entry, out stat);
        }
        entry.IsDenied = status == ReadStatus.Denied;
        if (status != ReadStatus.Ok)
        {
            errors.CountReadError(status);
            entry.ExeDenied = FilterSet.Empty;
            // Any other error says nothing about the process: if it is watched it stays so, and it is read again.
            if (status == ReadStatus.Gone || !IsCurrent(entry.Watched))
                Release(entry);
            if (status == ReadStatus.Gone)
                entry.StartTicks = 0;
            entry.NextCheck = 0;
            return false;
        }
        if (entry.StartTicks != stat.StartTicks)
        {
            entry.Inherited = FilterSet.Empty;
            entry.StartTicks = stat.StartTicks;
            entry.ListedInUpdate = UpdateNumber;
        }
        entry.ParentPid = stat.Ppid;
        entry.Comm = stat.Comm.ToArray();
        entry.IsKernelThread = stat.IsKernelThread;
        entry.LeaderHasExited = stat.LeaderHasEnded;
        return true;
    }

    private ReadStatus ReadStat(ProcessEntry entry, out ProcStat stat)
    {
        stat = default;
        if (entry.Directory < 0)
        {
            Span<byte> path = stackalloc byte[32];
            ReadStatus opened = RawFile.OpenDirectory(root.Fd, ProcPath.Format(path, ""u8, entry.Pid, ""u8), out int directory);
            if (opened != ReadStatus.Ok)
                return opened;
            entry.Directory = directory;
        }
        ReadStatus status = RawFile.ReadOnce(entry.Directory, "stat"u8, _buffer, out int length);
        if (status != ReadStatus.Ok)
            return status;
        return ProcStat.TryParse(_buffer.AsSpan(0, length), out stat) ? ReadStatus.Ok : ReadStatus.Malformed;
    }

    private void Decide(ProcessEntry entry, long now, long rescanInterval)
    {
        bool kernelThread = entry.IsKernelThread;
        ProcessInfo process = new(entry.Pid, entry.StartTicks, entry.Comm, entry.Directory,
            (pid, directory) => _commandLines.Read(pid, entry.StartTicks, directory))
        {
            KernelThread = kernelThread,
            LeaderHasEnded = entry.LeaderHasExited,
        };
        // What a process has inherited stays after its parent has exited.
        if (_entries.TryGetValue(entry.ParentPid, out ProcessEntry? parent))
            entry.Inherited = entry.Inherited.Union(parent.ToChildren);
        MatchResult result = _matcher!.Match(process, entry.Inherited);
        entry.ToChildren = result.ToChildren;
        entry.ExeDenied = result.ExeDenied;
        entry.IsDenied = process.UidStatus == ReadStatus.Denied || process.CgroupStatus == ReadStatus.Denied;
        errors.CountReadError(process.ExeStatus);
        errors.CountReadError(process.UidStatus);
        errors.CountReadError(process.CgroupStatus);
        bool complete = !result.Incomplete;
        if (!complete && IsCurrent(entry.Watched))
        {
            // A command line that cannot be read now must not end the series of a process that is stuck, nor move it to a later filter.
            entry.NextCheck = 0;
            return;
        }
        if (result.Filter is { } filter)
        {
            if (entry.Watched is null && !budget.TryKeepDirectory())
            {
                errors.CountReadError(ReadStatus.NoDescriptors);
                Release(entry);
                entry.NextCheck = 0;
                return;
            }
            entry.Watched ??= new WatchedProcess(entry.Pid, entry.StartTicks, entry.Directory)
            {
                ListedInUpdate = entry.ListedInUpdate,
                StartTime = _bootTime + (long)entry.StartTicks * Clocks.NanosecondsPerTick,
            };
            entry.Watched.IsKernelThread = kernelThread;
            (string daemon, bool unknown) = DaemonName.Resolve(filter, process);
            complete &= !unknown;
            if (filter.TakeCutWarning(process) is { } warning)
                errors.Warn(warning);
            if (unknown && IsCurrent(entry.Watched))
                daemon = Encoding.UTF8.GetString(entry.Watched.Daemon);
            ReadStatus status = CgroupLabels.Read(filter.Config.Labels, process, out (string, byte[])[] labels);
            errors.CountReadError(status);
            if (status != ReadStatus.Ok)
            {
                // The error says nothing about the cgroup: the series keep their labels, and it is read again.
                complete = false;
                labels = entry.Watched.CgroupLabels;
            }
            entry.Watched.Assign(filter, TaskName.Stable(entry.Comm, kernelThread), Encoding.UTF8.GetBytes(daemon), labels);
            cgroups?.Find(entry.Watched, process, now);
        }
        else
        {
            Release(entry);
        }
        entry.NextCheck = complete ? now + rescanInterval : 0;
    }

    /// <summary>Whether it is watched by a filter of the active configuration.</summary>
    private bool IsCurrent([NotNullWhen(true)] WatchedProcess? process) =>
        process?.Filter is { } filter && filter.Index < _matcher!.Filters.Length && ReferenceEquals(filter, _matcher.Filters[filter.Index]);

    private void Release(ProcessEntry entry)
    {
        if (entry.Watched is not null)
        {
            budget.Close(entry.Watched);
            entry.Watched = null;
        }
        else if (entry.Directory >= 0)
        {
            RawFile.Close(entry.Directory);
        }
        entry.Directory = -1;
    }
}
