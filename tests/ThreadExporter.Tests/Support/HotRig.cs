using ThreadExporter.Configuration;
using ThreadExporter.HotThreads;
using ThreadExporter.Linux;
using ThreadExporter.Model;
using ThreadExporter.Procfs;

namespace ThreadExporter.Tests.Support;

/// <summary>Hot threads on a /proc (the real one or a fixture), with a clock of their own.</summary>
internal sealed class HotRig : IDisposable
{
    public const long Ms = 1_000_000;
    public const long Second = 1000 * Ms;

    private readonly ProcfsRoot _root;
    private readonly FixtureProc? _proc;
    private readonly Dictionary<int, (long Cpu, long Wait)> _times = [];

    public HotRig(ExporterConfig config, FixtureProc? proc = null)
    {
        _proc = proc;
        string procfs = proc?.Root ?? "/proc";
        _root = ProcfsRoot.Open(procfs);
        Live = new LiveCollector(config, procfs);
        Hot = new HotThreadTracker(_root, Live.Collector);
        Live.Collector.Collect(Live.Snapshot);
    }

    /// <summary>Process 100 of a fixture.</summary>
    public HotRig(FixtureProc proc, int maxDescriptors = 10_000)
        : this(LiveCollector.Config(LiveCollector.Pid(100)) with { Collector = new CollectorConfig { RescanInterval = TimeSpan.Zero, MaxDescriptors = maxDescriptors } }, proc)
    {
    }

    public LiveCollector Live { get; }

    public HotThreadTracker Hot { get; }

    public long Now { get; set; } = Clocks.MonotonicNanoseconds();

    /// <summary>Threads 100, 101, … of process 100.</summary>
    public static FixtureProc Proc(int threads)
    {
        FixtureProc proc = new();
        proc.Process(100, "daemon", threads: threads);
        for (int tid = 100; tid < 100 + threads; tid++)
            proc.Thread(100, tid, "worker"u8);
        return proc;
    }

    public void Ask(int rows = 20) => Hot.KeepAlive(rows, Now);

    /// <summary>A second later.</summary>
    public HotSnapshot Tick()
    {
        Now += Second;
        Hot.Tick(Live.Snapshot, Now);
        return Hot.Current;
    }

    /// <summary>Lets a fixture's thread run and wait; the next snapshot sees it.</summary>
    public void Run(int tid, long milliseconds, long waited = 0)
    {
        (long cpu, long wait) = _times.GetValueOrDefault(tid);
        _times[tid] = (cpu + milliseconds * Ms, wait + waited * Ms);
        _proc!.SchedStat(100, tid, _times[tid].Cpu, _times[tid].Wait, 1);
    }

    public HotThreadState? Thread(int tid)
    {
        WatchedProcess process = Live.Collector.Processes.Single();
        return Hot.Find(process, process.Threads.Single(t => t.Tid == tid));
    }

    public void Dispose()
    {
        Live.Dispose();
        _root.Dispose();
    }
}
