using ThreadExporter.Collection;
using ThreadExporter.Linux;
using ThreadExporter.Matching;
using ThreadExporter.Procfs;

namespace ThreadExporter.HotThreads;

/// <summary>
/// Who has the CPUs of the host while the hot page is in use: the watched processes, the largest others, and what lived too short to be listed.
/// It reads the CPU clock of every process, or its <c>stat</c> where /proc belongs to another pid namespace.
/// </summary>
internal sealed class HostUsage(ProcfsRoot root)
{
    /// <summary>Processes that are named.</summary>
    private const int MaxNamed = 5;

    // The lines of 512 CPUs.
    private const int LargestStat = 64 * 1024;

    private readonly Dictionary<int, ProcessUsage> _processes = [];
    private readonly byte[] _buffer = new byte[LargestStat];
    private RecentSum _busy = new();
    private RecentSum _steal = new();
    private ProcHostStat? _host;
    private ulong _lookedAtTicks = ulong.MaxValue;

    /// <summary>Takes a look.</summary>
    /// <param name="processes">All processes of the last listing, watched or not.</param>
    /// <param name="snapshot">The number of the snapshot.</param>
    public void Look(IEnumerable<ProcessEntry> processes, long snapshot)
    {
        ulong ticks = Clocks.TicksSinceBoot();
        foreach (ProcessEntry process in processes)
        {
            if (!TryReadClock(process.Pid, out long clock))
                continue;
            bool isKnown = _processes.TryGetValue(process.Pid, out ProcessUsage? usage) && usage.StartTicks == process.StartTicks;
            if (!isKnown)
                _processes[process.Pid] = usage = new ProcessUsage(process.StartTicks);
            // What a process had used before the first look belongs to no window, unless it has started since.
            if (isKnown || process.StartTicks >= _lookedAtTicks)
                usage!.Cpu.Add(snapshot, Math.Max(0, clock - usage.Clock));
            usage!.Clock = Math.Max(usage.Clock, clock);
            (usage.Name, usage.IsKernelThread, usage.IsWatched, usage.SeenInTick) = (process.Comm, process.IsKernelThread, process.Watched is not null, snapshot);
        }
        foreach ((int pid, ProcessUsage usage) in _processes)
        {
            if (usage.SeenInTick <= snapshot - UsageHistory.Window)
                _processes.Remove(pid);
        }
        _lookedAtTicks = ticks;
        if (RawFile.ReadOnce(root.Fd, "stat"u8, _buffer, out int length) != ReadStatus.Ok || !ProcHostStat.TryParse(_buffer.AsSpan(0, length), out ProcHostStat host))
            return;
        if (_host is { } before)
        {
            _busy.Add(snapshot, Math.Max(0, host.Busy - before.Busy));
            _steal.Add(snapshot, Math.Max(0, host.Steal - before.Steal));
        }
        _host = host;
    }

    /// <summary>The sums of the last <see cref="UsageHistory.Window"/> snapshots; null: /proc/stat could not be read.</summary>
    public HotHost? Sum(long snapshot)
    {
        if (_host is not { } host)
            return null;
        (long watched, long others) = (0, 0);
        List<(int Pid, ProcessUsage Usage, long Cpu)> used = [];
        foreach ((int pid, ProcessUsage usage) in _processes)
        {
            long cpu = usage.Cpu.Of(snapshot);
            if (usage.IsWatched)
                watched += cpu;
            else
                others += cpu;
            if (cpu > 0)
                used.Add((pid, usage, cpu));
        }
        used.Sort(static (a, b) => b.Cpu.CompareTo(a.Cpu));
        // The time of the host is counted at ticks, that of processes is exact, so the difference may be below 0.
        long shortLived = Math.Max(0, _busy.Of(snapshot) - watched - others);
        return new HotHost(host.Cpus, watched, others, shortLived, _steal.Of(snapshot),
            [.. used.Take(MaxNamed).Select(Named)], [.. used.Where(static u => !u.Usage.IsWatched).Take(MaxNamed).Select(Named)]);

        static HotNeighbour Named((int Pid, ProcessUsage Usage, long Cpu) process) =>
            new(process.Pid, ProcText.Decode(TaskName.Stable(process.Usage.Name, process.Usage.IsKernelThread)), process.Cpu);
    }

    private bool TryReadClock(int pid, out long clock)
    {
        if (root.SharesPidNamespace)
            return Clocks.TryGetProcessCpu(pid, out clock);
        clock = 0;
        Span<byte> path = stackalloc byte[ProcPath.BufferSize];
        if (RawFile.ReadOnce(root.Fd, ProcPath.Format(path, ""u8, pid, "/stat"u8), _buffer, out int length) != ReadStatus.Ok
            || !ProcStat.TryParse(_buffer.AsSpan(0, length), out ProcStat stat))
        {
            return false;
        }
        (long user, long kernel) = (stat.UserNanoseconds, stat.KernelNanoseconds);
        clock = user + kernel;
        return (user | kernel) >= 0;
    }

    private sealed class ProcessUsage(ulong startTicks)
    {
        public RecentSum Cpu = new();

        public ulong StartTicks { get; } = startTicks;

        /// <summary>The highest reading of its clock, in nanoseconds.</summary>
        public long Clock { get; set; }

        /// <summary>In the kernel's bytes.</summary>
        public byte[] Name { get; set; } = [];

        public bool IsKernelThread { get; set; }

        public bool IsWatched { get; set; }

        /// <summary>The last snapshot in which it existed.</summary>
        public long SeenInTick { get; set; }
    }
}
