using ThreadExporter.Cgroups;
using ThreadExporter.Collection;
using ThreadExporter.Linux;
using ThreadExporter.Procfs;

namespace ThreadExporter.HotThreads;

/// <summary>
/// Finds out why the listed threads do not run: from their states, from the throttling of their cgroups, and from who has the CPUs of the host.
/// The hot page has one while it is in use, and the recorder another.
/// </summary>
/// <param name="root">The /proc to read.</param>
/// <param name="collector">Its processes and cgroups.</param>
/// <param name="looks">How many intervals between looks the throttling of a cgroup covers.</param>
internal sealed class VerdictReader(ProcfsRoot root, Collector collector, int looks = UsageHistory.Window)
{
    private readonly StateReader _states = new();
    private readonly HostUsage _host = new(root);
    private readonly CgroupWindow? _cgroups = collector.Cgroups is { } table ? new CgroupWindow(table, looks) : null;
    private readonly byte[] _buffer = new byte[64 * 1024];
    private long _now;

    /// <summary>Who had the CPUs of the host in the window; null: not known, or <c>collector.neighbours</c> is off.</summary>
    public HotHost? Host { get; private set; }

    /// <summary>Takes a look. The threads have been read.</summary>
    /// <param name="processes">The watched processes.</param>
    /// <param name="listed">The listed threads.</param>
    /// <param name="snapshot">The number of the snapshot.</param>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    /// <param name="withNeighbours">Whether other processes are looked at.</param>
    public void Look(IReadOnlyList<HotProcessState> processes, List<(HotProcessState Process, HotThreadState Thread)> listed, long snapshot, long now, bool withNeighbours)
    {
        _now = now;
        _cgroups?.Begin(now);
        // At each look, so that there is a window when a thread begins to wait.
        foreach (HotProcessState process in processes)
        {
            if (process.IdleInTick != snapshot)
                LookAtCgroup(process);
        }
        foreach ((HotProcessState process, _) in listed)
            LookAtCgroup(process);
        if (withNeighbours)
            _host.Look(collector.Listed, snapshot);
        Host = withNeighbours ? _host.Sum(snapshot) : null;
    }

    /// <summary>Looks at the states of threads that do not run.</summary>
    /// <param name="processes">The watched processes.</param>
    /// <param name="snapshot">The number of the snapshot.</param>
    /// <param name="budget">CPU time that may be used, in nanoseconds.</param>
    /// <param name="stuck">Receives the threads without a history that are blocked or wait.</param>
    public void LookAtStates(IReadOnlyList<HotProcessState> processes, long snapshot, long budget, List<(HotProcessState Process, HotThreadState Thread)> stuck) =>
        _states.Look(processes, snapshot, budget, stuck);

    /// <summary>The verdict on a listed thread, with a sentence that may be empty.</summary>
    /// <param name="process">Its process.</param>
    /// <param name="thread">The thread.</param>
    /// <param name="used">Nanoseconds that it ran and waited for a CPU in the window.</param>
    /// <param name="snapshot">The number of the snapshot.</param>
    /// <param name="window">Nanoseconds that the values of a row cover.</param>
    /// <param name="saturation"><c>sampler.saturation</c>.</param>
    public (Verdict Verdict, string Reason) Decide(HotProcessState process, HotThreadState thread, (long Cpu, long Wait) used, long snapshot, long window, double saturation)
    {
        VerdictInput input = new(window, used.Cpu, used.Wait, thread.Looks.Recent(snapshot), 0);
        CgroupNode? cgroup = input.HasWaited ? CgroupOf(process, thread) : null;
        CgroupThrottling? throttling = cgroup is null ? null : _cgroups?.Of(cgroup);
        Verdict verdict = (input with { ThrottledShare = throttling?.ThrottledShare ?? 0 }).Decide(saturation);
        return (verdict, verdict switch
        {
            Verdict.Busy => VerdictReason.Busy(used.Cpu, window),
            Verdict.Throttled => Throttled(throttling!.Value, cgroup!),
            Verdict.Starved => Starved(process, thread, snapshot, window),
            Verdict.Blocked => VerdictReason.Blocked(input.Looks),
            _ => "",
        });
    }

    private void LookAtCgroup(HotProcessState process)
    {
        if (process.Watched.Cgroup?.Node is { } cgroup)
            _cgroups?.Of(cgroup);
    }

    private static string Throttled(CgroupThrottling throttling, CgroupNode own)
    {
        CgroupNode limited = throttling.Cgroup;
        return VerdictReason.Throttled(limited.IsLimited ? limited.Reading.Limit / 1e9 : null, throttling.ThrottledShare, limited == own ? null : limited.Path);
    }

    private string Starved(HotProcessState process, HotThreadState thread, long snapshot, long window)
    {
        bool isKnown = ThreadReader.ReadFile(process.Watched, thread.Tid, -1, "/status"u8, _buffer, out int length) == ReadStatus.Ok;
        (string? allowed, int count) = (null, 0);
        if (isKnown && CpuList.TryFindAllowed(_buffer.AsSpan(0, length), out string list, out int number))
            (allowed, count) = (list, number);
        return VerdictReason.Starved(process.Pid, process.RecentCpu(snapshot).Cpu, window, allowed, count, Host);
    }

    // A thread may be in a cgroup of its own (threaded cgroups, and version 1).
    private CgroupNode? CgroupOf(HotProcessState process, HotThreadState thread)
    {
        if (_cgroups is null)
            return null;
        CgroupNode? own = ThreadReader.ReadFile(process.Watched, thread.Tid, -1, "/cgroup"u8, _buffer, out int length) == ReadStatus.Ok
            ? collector.Cgroups!.Resolve(_buffer.AsSpan(0, length), _now) : null;
        return own ?? process.Watched.Cgroup?.Node;
    }
}
