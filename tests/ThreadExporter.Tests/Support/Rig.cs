using Microsoft.Extensions.Time.Testing;
using ThreadExporter.Collection;
using ThreadExporter.Configuration;
using ThreadExporter.HotThreads;
using ThreadExporter.Linux;
using ThreadExporter.Model;
using ThreadExporter.Procfs;

namespace ThreadExporter.Tests.Support;

/// <summary>The collector, the sampler and the hot threads on a /proc (the real one or a fixture), with one clock that only the test moves.</summary>
internal sealed class Rig : IDisposable
{
    public const long Ms = 1_000_000;
    public const long Second = 1000 * Ms;

    private readonly ProcfsRoot _root;
    private readonly FixtureProc? _proc;
    private readonly FakeTimeProvider _clock = FakeClock.Create();
    private readonly Dictionary<int, (long Cpu, long Wait)> _times = [];

    /// <summary>Makes the first collection.</summary>
    public Rig(ExporterConfig config, FixtureProc? proc = null)
    {
        _proc = proc;
        string procfs = proc?.Root ?? "/proc";
        _root = ProcfsRoot.Open(procfs);
        Live = new LiveCollector(config, procfs, time: _clock);
        Sampler = new Sampler(_root, Live.Collector);
        Hot = new HotThreadTracker(_root, Live.Collector);
        Collect();
    }

    /// <summary>Process 100 of a fixture.</summary>
    public Rig(FixtureProc proc, int maxDescriptors = 10_000)
        : this(Config(maxDescriptors), proc)
    {
    }

    public LiveCollector Live { get; }

    public Sampler Sampler { get; }

    public HotThreadTracker Hot { get; }

    public long Now => Clocks.MonotonicNanoseconds(_clock);

    /// <summary>Process 100. A sampler that may use a whole core is not slowed down by a busy machine.</summary>
    public static ExporterConfig Config(int maxDescriptors = 10_000) => LiveCollector.Config(LiveCollector.Pid(100)) with
    {
        Collector = new CollectorConfig { RescanInterval = TimeSpan.Zero, MaxDescriptors = maxDescriptors },
        Sampler = new SamplerConfig { CpuBudget = 1 },
    };

    /// <summary>Threads 100, 101, … of process 100.</summary>
    public static FixtureProc Proc(int threads)
    {
        FixtureProc proc = new();
        proc.Process(100, "daemon", threads: threads);
        for (int tid = 100; tid < 100 + threads; tid++)
            proc.Thread(100, tid, "worker"u8);
        return proc;
    }

    public void Advance(long nanoseconds) => _clock.Advance(TimeSpan.FromTicks(nanoseconds / TimeSpan.NanosecondsPerTick));

    public void Collect() => Live.Collector.Collect(Live.Snapshot);

    /// <summary>Lets a fixture's thread run and wait; the next reading sees it.</summary>
    public void Run(int tid, long milliseconds, long waited = 0)
    {
        (long cpu, long wait) = _times.GetValueOrDefault(tid);
        _times[tid] = (cpu + milliseconds * Ms, wait + waited * Ms);
        _proc!.SchedStat(100, tid, _times[tid].Cpu, _times[tid].Wait, 1);
    }

    /// <summary>100 ms later the sampler ends a window.</summary>
    public void Window()
    {
        Advance(100 * Ms);
        Sampler.Tick(Live.Snapshot.Config.Sampler, Now);
    }

    /// <summary>A window in which the thread runs.</summary>
    public void Window(int tid, long milliseconds)
    {
        Run(tid, milliseconds);
        Window();
    }

    public void KeepHotAlive(int rows = 20) => Hot.KeepAlive(rows, Now);

    /// <summary>A second later the hot page's snapshot.</summary>
    public HotSnapshot Snapshot()
    {
        Advance(Second);
        Hot.Tick(Live.Snapshot, Now);
        return Hot.Current;
    }

    public WatchedThread Thread(int tid) => Live.Collector.Processes.Single().Threads.Single(t => t.Tid == tid);

    public HotThreadState? HotThread(int tid) => Hot.Find(Live.Collector.Processes.Single(), Thread(tid));

    public void Dispose()
    {
        Live.Dispose();
        _root.Dispose();
    }
}
