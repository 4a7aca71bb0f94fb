using ThreadExporter.Model;
using ThreadExporter.Procfs;

namespace ThreadExporter.HotThreads;

/// <summary>What the hot page knows of one process while it is in use. Written by <see cref="HotThreadReader"/> and <see cref="HotThreadTracker"/> only.</summary>
internal sealed class HotProcessState(WatchedProcess process)
{
    private readonly (long Snapshot, long Cpu, long Threads)[] _recent = new (long, long, long)[UsageHistory.Window];
    private byte[]? _nameBytes;
    private byte[]? _daemonBytes;

    /// <summary>The process that it belongs to.</summary>
    public WatchedProcess Watched => process;

    /// <summary>The process's clock at the last snapshot, in nanoseconds; -1: none yet.</summary>
    public long Clock { get; set; } = -1;

    /// <summary>The last snapshot in which it existed.</summary>
    public long SeenInTick { get; set; }

    /// <summary>The last snapshot that found that its clock had not moved, so none of its threads was read.</summary>
    public long IdleInTick { get; set; }

    /// <summary>Its threads that collections have seen.</summary>
    public Dictionary<WatchedThread, HotThreadState> States { get; private set; } = [];

    /// <summary>Threads that the last collection has not seen, read by path. Sorted by tid.</summary>
    public List<HotThreadState> NewThreads { get; set; } = [];

    public string Name { get; private set; } = "";

    public string Daemon { get; private set; } = "";

    public string Filter => process.Filter.Name;

    public int Pid => process.Pid;

    public int Threads => process.Threads.Count + NewThreads.Count;

    /// <summary>Drops the states of threads that have exited.</summary>
    public void Prune()
    {
        if (States.Count <= process.Threads.Count)
            return;
        Dictionary<WatchedThread, HotThreadState> live = new(process.Threads.Count);
        foreach (WatchedThread thread in process.Threads)
        {
            if (States.TryGetValue(thread, out HotThreadState? state))
                live.Add(thread, state);
        }
        States = live;
    }

    /// <summary>Records a snapshot: what the process used, and the part of it that its live threads account for, in nanoseconds.</summary>
    public void Record(long snapshot, long cpu, long threads) => _recent[snapshot % UsageHistory.Window] = (snapshot, cpu, threads);

    /// <summary>The same over the last <see cref="UsageHistory.Window"/> snapshots.</summary>
    public (long Cpu, long Threads) RecentCpu(long snapshot)
    {
        (long cpu, long threads) = (0, 0);
        foreach ((long recorded, long used, long accounted) in _recent)
        {
            if (recorded <= snapshot - UsageHistory.Window)
                continue;
            cpu += used;
            threads += accounted;
        }
        return (cpu, threads);
    }

    /// <summary>Decodes the names when a collection or a discovery has changed them.</summary>
    public void Rename()
    {
        if (!ReferenceEquals(_nameBytes, process.Name))
            Name = ProcText.Decode(_nameBytes = process.Name);
        if (!ReferenceEquals(_daemonBytes, process.Daemon))
            Daemon = ProcText.Decode(_daemonBytes = process.Daemon);
    }
}
