using System.Diagnostics.CodeAnalysis;
using System.Text;
using ThreadExporter.Linux;
using ThreadExporter.Matching;
using ThreadExporter.Model;
using ThreadExporter.Procfs;

namespace ThreadExporter.Collection;

/// <summary>
/// All processes of the /proc root and which rule owns each. A new pid is looked at at once; a known one again after
/// <c>rescan_interval</c>, since exec and rename change what rules see.
/// </summary>
/// <param name="root">The /proc to read.</param>
/// <param name="budget">What descriptors may be kept.</param>
/// <param name="errors">Counts the reads that fail.</param>
/// <param name="bootTime">When the kernel booted by the wall clock of now, in nanoseconds since the epoch; null: the kernel's clocks tell.</param>
internal sealed class ProcessTable(ProcfsRoot root, DescriptorBudget budget, CollectionDiagnostics errors, Func<long>? bootTime = null) : IDisposable
{
    // Smaller moves are the wall clock's drift; processes found together keep their distances.
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

    /// <summary>The processes that some rule owns, sorted by pid.</summary>
    public IReadOnlyList<WatchedProcess> Watched => _watched;

    /// <summary>Processes of which not even <c>stat</c>, <c>status</c> or <c>cgroup</c> may be read, as when a filter asked last.</summary>
    public int Denied { get; private set; }

    /// <summary>Lists /proc and decides about every process that is new, due or was left undecided.</summary>
    public void Update(Matcher matcher, long now, long rescanInterval)
    {
        bool everything = !ReferenceEquals(matcher, _matcher);
        _matcher = matcher;
        _updateNumber++;
        bool usersChanged = matcher.BeginPass();
        _commandLines.BeginCollection();
        // The wall clock may be set: a host may boot in 1970. What was found before keeps its start.
        if (_readBootTime() is var boot && Math.Abs(boot - _bootTime) > ClockStep)
            _bootTime = boot;
        ReadStatus listed = root.ReadPids(_pids);
        if (listed != ReadStatus.Ok)
        {
            // Says nothing about the processes: those known stand for the list, and each answers for itself.
            errors.CountReadError(listed);
            _pids.AddRange(_entries.Keys);
        }

        foreach (int pid in _pids)
        {
            if (!_entries.TryGetValue(pid, out Entry? entry))
                _entries.Add(pid, entry = new Entry(pid));
            entry.SeenInUpdate = _updateNumber;
            entry.Due = everything || usersChanged || now >= entry.NextCheck;
            if (everything)
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

    /// <summary>Drops a process that was found to be gone while it was read.</summary>
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

    // Rules with `children` pass from parent to child, so parents come first; pids wrap, so their order says nothing.
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
            // The kept directory tells that the old process is gone; the pid may already be another's.
            Release(entry);
            status = ReadStat(entry, out stat);
        }
        entry.IsDenied = status == ReadStatus.Denied;
        if (status != ReadStatus.Ok)
        {
            errors.CountReadError(status);
            entry.ExeDenied = FilterSet.Empty;
            // Any other failure says nothing about the process: what is watched stays so, and is asked again.
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
        entry.LeaderHasEnded = stat.LeaderHasEnded;
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
        ProcessInfo facts = new(entry.Pid, entry.ParentPid, entry.StartTicks, entry.Comm, entry.Directory,
            (pid, directory) => _commandLines.Read(pid, entry.StartTicks, directory))
        {
            KernelThread = kernelThread,
            LeaderHasEnded = entry.LeaderHasEnded,
        };
        // Inheritance outlives the parent: a child whose parent ended is still its descendant.
        if (_entries.TryGetValue(entry.ParentPid, out Entry? parent))
            entry.Inherited = entry.Inherited.Union(parent.ToChildren);
        MatchResult result = _matcher!.Match(facts, entry.Inherited);
        entry.ToChildren = result.ToChildren;
        entry.ExeDenied = result.ExeDenied;
        entry.IsDenied = facts.UidStatus == ReadStatus.Denied || facts.CgroupStatus == ReadStatus.Denied;
        errors.CountReadError(facts.ExeStatus);
        errors.CountReadError(facts.UidStatus);
        errors.CountReadError(facts.CgroupStatus);
        bool complete = !result.Incomplete;
        if (!complete && IsCurrent(entry.Watched))
        {
            // A command line that cannot be read now must not take a stuck process off the graph, nor hand it to a later rule.
            entry.NextCheck = 0;
            return;
        }
        if (result.Filter is { } rule)
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
            (string daemon, bool unknown) = DaemonName.Resolve(rule, facts);
            complete &= !unknown;
            if (rule.TakeCutWarning(facts) is { } warning)
                errors.Warn(warning);
            if (unknown && IsCurrent(entry.Watched))
                daemon = Encoding.UTF8.GetString(entry.Watched.Daemon);
            ReadStatus status = CgroupLabels.Read(rule.Config.Labels, facts, out (string, byte[])[] labels);
            errors.CountReadError(status);
            if (status != ReadStatus.Ok)
            {
                // Says nothing about the cgroup: the series keep their labels, and it is asked again.
                complete = false;
                labels = entry.Watched.CgroupLabels;
            }
            entry.Watched.Assign(rule, TaskName.Stable(entry.Comm, kernelThread), Encoding.UTF8.GetBytes(daemon), labels);
        }
        else
        {
            Release(entry);
        }
        entry.NextCheck = complete ? now + rescanInterval : 0;
    }

    /// <summary>Whether it is watched under a rule of the configuration in force.</summary>
    private bool IsCurrent([NotNullWhen(true)] WatchedProcess? process) =>
        process?.Filter is { } rule && rule.Index < _matcher!.Filters.Length && ReferenceEquals(rule, _matcher.Filters[rule.Index]);

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

    private sealed class Entry(int pid)
    {
        public int Pid { get; } = pid;
        public int ParentPid { get; set; }
        public ulong StartTicks { get; set; }
        public byte[] Comm { get; set; } = [];
        public bool IsKernelThread { get; set; }
        public bool LeaderHasEnded { get; set; }
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
