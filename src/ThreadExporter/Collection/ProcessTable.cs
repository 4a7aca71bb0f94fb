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
/// <param name="bootTime">The boot time by the current wall clock, in nanoseconds since the epoch; null: from the kernel's clocks.</param>
internal sealed class ProcessTable(ProcfsRoot root, DescriptorBudget budget, CollectionDiagnostics errors, Func<long>? bootTime = null) : IDisposable
{
    // Smaller changes are drift of the wall clock; processes that started together keep equal start times.
    private const long ClockStep = 1_000_000_000;

    private readonly Dictionary<int, Entry> _entries = [];
    private readonly List<WatchedProcess> _watched = [];
    private readonly CommandLineReader _commandLines = new(errors);
    private readonly List<int> _pids = [];
    private readonly Stack<Entry> _ancestors = [];
    private readonly byte[] _buffer = new byte[4096];
    private readonly Func<long> _readBootTime = bootTime ?? Clocks.BootTimeNanoseconds;
    private long _bootTime;
    private Matcher? _matcher;
    private int _updateNumber;

    /// <summary>The processes that a filter selects, sorted by pid.</summary>
    public IReadOnlyList<WatchedProcess> Watched => _watched;

    /// <summary>
    /// Processes whose <c>stat</c>, <c>status</c> or <c>cgroup</c> could not be read for lack of permission when they were last matched.
    /// </summary>
    public int Denied { get; private set; }

    /// <summary>Lists /proc, and matches the processes that are new, due, or whose last match was incomplete.</summary>
    /// <param name="matcher">The active filters. After a reload all processes are matched again.</param>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    /// <param name="rescanInterval">Nanoseconds after which a known process is matched again.</param>
    public void Update(Matcher matcher, long now, long rescanInterval)
    {
        bool reloaded = !ReferenceEquals(matcher, _matcher);
        _matcher = matcher;
        _updateNumber++;
        bool usersChanged = matcher.BeginPass();
        _commandLines.StartCollection();
        // The wall clock may be set: a host may boot in 1970. Processes that are known keep their start time.
        if (_readBootTime() is var boot && Math.Abs(boot - _bootTime) > ClockStep)
            _bootTime = boot;
        ReadStatus listed = root.ReadPids(_pids);
        if (listed != ReadStatus.Ok)
        {
            // The error says nothing about the processes: the known ones are used as the list, and each of them is read.
            errors.CountReadError(listed);
            _pids.AddRange(_entries.Keys);
        }

        foreach (int pid in _pids)
        {
            if (!_entries.TryGetValue(pid, out Entry? entry))
                _entries.Add(pid, entry = new Entry(pid));
            entry.SeenInUpdate = _updateNumber;
            entry.Due = reloaded || usersChanged || now >= entry.NextCheck;
            if (reloaded)
                entry.Inherited = FilterSet.Empty;
        }
        foreach (int pid in _pids)
        {
            Entry entry = _entries[pid];
            if (entry.Due)
                CheckWithAncestors(entry, now, rescanInterval);
        }
        foreach ((int pid, Entry entry) in _entries)
        {
            if (entry.SeenInUpdate != _updateNumber)
            {
                Release(entry);
                _entries.Remove(pid);
            }
        }
        _watched.Clear();
        Denied = 0;
        foreach (Entry entry in _entries.Values)
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

    /// <summary>Drops a process that had exited when it was read.</summary>
    public void Remove(WatchedProcess process)
    {
        Release(_entries[process.Pid]);
        _entries.Remove(process.Pid);
        _watched.Remove(process);
    }

    public void Dispose()
    {
        foreach (Entry entry in _entries.Values)
            Release(entry);
        _entries.Clear();
        _commandLines.Dispose();
    }

    // A filter with `children` is inherited, so parents are matched first. The order of pids does not help, since pids wrap.
    private void CheckWithAncestors(Entry entry, long now, long rescanInterval)
    {
        for (Entry? e = entry; e is { Due: true }; e = _matcher!.NeedsAncestry ? _entries.GetValueOrDefault(e.ParentPid) : null)
        {
            e.Due = false;
            if (ReadIdentity(e))
                _ancestors.Push(e);
        }
        while (_ancestors.TryPop(out Entry? next))
            Decide(next, now, rescanInterval);
    }

    private bool ReadIdentity(Entry entry)
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
            entry.NextCheck = 0;
            return false;
        }
        if (entry.StartTicks != stat.StartTicks)
        {
            entry.Inherited = FilterSet.Empty;
            entry.StartTicks = stat.StartTicks;
        }
        entry.ParentPid = stat.Ppid;
        entry.Comm = stat.Comm.ToArray();
        entry.IsKernelThread = stat.IsKernelThread;
        entry.LeaderHasExited = stat.LeaderHasEnded;
        return true;
    }

    private ReadStatus ReadStat(Entry entry, out ProcStat stat)
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

    private void Decide(Entry entry, long now, long rescanInterval)
    {
        bool kernelThread = entry.IsKernelThread;
        ProcessInfo process = new(entry.Pid, entry.ParentPid, entry.StartTicks, entry.Comm, entry.Directory,
            (pid, directory) => _commandLines.Read(pid, entry.StartTicks, directory))
        {
            KernelThread = kernelThread,
            LeaderHasEnded = entry.LeaderHasExited,
        };
        // What a process has inherited stays after its parent has exited.
        if (_entries.TryGetValue(entry.ParentPid, out Entry? parent))
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

    private void Release(Entry entry)
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

    /// <summary>A process of the list, watched or not.</summary>
    private sealed class Entry(int pid)
    {
        public int Pid { get; } = pid;
        public int ParentPid { get; set; }
        public ulong StartTicks { get; set; }
        public byte[] Comm { get; set; } = [];
        public bool IsKernelThread { get; set; }
        public bool LeaderHasExited { get; set; }
        public int Directory { get; set; } = -1;
        public int SeenInUpdate { get; set; }
        public bool Due { get; set; }
        public long NextCheck { get; set; }
        public FilterSet Inherited { get; set; } = FilterSet.Empty;
        public FilterSet ToChildren { get; set; } = FilterSet.Empty;
        public FilterSet ExeDenied { get; set; } = FilterSet.Empty;
        public bool IsDenied { get; set; }
        public WatchedProcess? Watched { get; set; }
    }
}
