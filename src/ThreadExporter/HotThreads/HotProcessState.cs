using ThreadExporter.Model;
using ThreadExporter.Procfs;

namespace ThreadExporter.HotThreads;

/// <summary>
/// The hot page's state of a process while the page is in use. Written by <see cref="HotThreadReader"/> and <see cref="HotThreadTracker"/> only.
/// </summary>
internal sealed class HotProcessState(WatchedProcess process)
{
    private readonly (long Snapshot, long Cpu, long Threads, long Waited, ExitSums? Exits)[] _recent = new (long, long, long, long, ExitSums?)[UsageHistory.Window];
    private byte[]? _nameBytes;
    private byte[]? _daemonBytes;

    /// <summary>The process.</summary>
    public WatchedProcess Watched => process;

    /// <summary>The process clock at the last snapshot, in nanoseconds; -1: not read yet.</summary>
    public long Clock { get; set; } = -1;

    /// <summary>CPU time of the children that it has waited for, in nanoseconds; -1: not read yet.</summary>
    public long Waited { get; set; } = -1;

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

    /// <summary>The state of a thread that collections know. It keeps what was recorded before the collection found it.</summary>
    public HotThreadState StateOf(WatchedThread watched)
    {
        if (!States.TryGetValue(watched, out HotThreadState? state))
        {
            int at = NewThreads.FindIndex(t => t.Tid == watched.Tid);
            state = at < 0 ? new HotThreadState(watched.Tid) : NewThreads[at];
            if (at >= 0)
                NewThreads.RemoveAt(at);
            state.Watched = watched;
            States.Add(watched, state);
        }
        return state;
    }

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
    public void Record(long snapshot, long cpu, long threads) => Slot(snapshot) = (snapshot, cpu, threads, Slot(snapshot).Waited, Slot(snapshot).Exits);

    /// <summary>Records what has exited since the last snapshot.</summary>
    /// <param name="snapshot">The number of this snapshot.</param>
    /// <param name="waited">CPU time of children that the process has waited for, in nanoseconds.</param>
    /// <param name="exits">Exited threads by exit records, those of such children included; null: none.</param>
    public void RecordExits(long snapshot, long waited, ExitSums? exits)
    {
        Slot(snapshot).Waited = waited;
        Slot(snapshot).Exits = exits;
    }

    /// <summary>The sums of <see cref="RecordExits"/> over the last <see cref="UsageHistory.Window"/> snapshots.</summary>
    public (long Waited, ExitSums Exits) RecentExits(long snapshot)
    {
        long waited = 0;
        ExitSums exits = new();
        foreach ((long recorded, _, _, long ofChildren, ExitSums? sums) in _recent)
        {
            if (recorded <= snapshot - UsageHistory.Window)
                continue;
            waited += ofChildren;
            sums?.CopyTo(exits);
        }
        return (waited, exits);
    }

    private ref (long Snapshot, long Cpu, long Threads, long Waited, ExitSums? Exits) Slot(long snapshot)
    {
        ref (long Snapshot, long Cpu, long Threads, long Waited, ExitSums? Exits) slot = ref _recent[snapshot % UsageHistory.Window];
        if (slot.Snapshot != snapshot)
            slot = (snapshot, 0, 0, 0, null);
        return ref slot;
    }

    /// <summary>
    /// CPU time of the last <see cref="UsageHistory.Window"/> snapshots, in nanoseconds, and the part that live threads account for.
    /// </summary>
    public (long Cpu, long Threads) RecentCpu(long snapshot)
    {
        (long cpu, long threads) = (0, 0);
        foreach ((long recorded, long ofProcess, long ofThreads, _, _) in _recent)
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
