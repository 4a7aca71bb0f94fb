using ThreadExporter.Model;
using ThreadExporter.Procfs;

namespace ThreadExporter.HotThreads;

/// <summary>
/// The hot page's state of a process while the page is in use. Written by <see cref="HotThreadReader"/> and <see cref="HotThreadTracker"/> only.
/// </summary>
internal sealed class HotProcessState(WatchedProcess process)
{
    private readonly (long Snapshot, long Cpu, long Threads)[] _recent = new (long, long, long)[UsageHistory.Window];
    private byte[]? _nameBytes;
    private byte[]? _daemonBytes;

    /// <summary>The process.</summary>
    public WatchedProcess Watched => process;

    /// <summary>The process clock at the last snapshot, in nanoseconds; -1: not read yet.</summary>
    public long Clock { get; set; } = -1;

    /// <summary>The last snapshot in which it existed.</summary>
    public long SeenInTick { get; set; }

    /// <summary>The last snapshot that found the process clock unchanged, so that no thread was read.</summary>
    public long IdleInTick { get; set; }

    /// <summary>The threads that collections know.</summary>
    public Dictionary<WatchedThread, HotThreadState> States { get; private set; } = [];

    /// <summary>Threads that started since the last collection, read by path. Sorted by tid.</summary>
    public List<HotThreadState> NewThreads { get; set; } = [];

    /// <summary>The shown name as text.</summary>
    public string Name { get; private set; } = "";

    /// <summary>Label <c>daemon</c> as text.</summary>
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

    /// <summary>Records a snapshot.</summary>
    /// <param name="snapshot">Its number.</param>
    /// <param name="cpu">CPU time of the process since the last snapshot, in nanoseconds.</param>
    /// <param name="threads">The part of it that live threads account for, in nanoseconds.</param>
    public void Record(long snapshot, long cpu, long threads) => _recent[snapshot % UsageHistory.Window] = (snapshot, cpu, threads);

    /// <summary>
    /// CPU time of the last <see cref="UsageHistory.Window"/> snapshots, in nanoseconds, and the part that live threads account for.
    /// </summary>
    public (long Cpu, long Threads) RecentCpu(long snapshot)
    {
        (long cpu, long threads) = (0, 0);
        foreach ((long recorded, long ofProcess, long ofThreads) in _recent)
        {
            if (recorded <= snapshot - UsageHistory.Window)
                continue;
            cpu += ofProcess;
            threads += ofThreads;
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
