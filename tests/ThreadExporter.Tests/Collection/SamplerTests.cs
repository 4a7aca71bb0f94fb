using ThreadExporter.Collection;
using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Model;
using ThreadExporter.Procfs;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Collection;

/// <summary><see cref="Sampler"/>: saturated time, peaks, late windows and the CPU budget, on fixtures and on a real process.</summary>
public class SamplerTests
{
    private const long Ms = 1_000_000;
    private static readonly SamplerConfig Config = new() { CpuBudget = 1 };

    [Fact]
    public void Windows_are_measured_by_the_clocks_of_the_threads()
    {
        using FixtureProc proc = new();
        Threads(proc, 2);
        using Rig rig = new(proc);
        rig.Collect();
        rig.Tick();
        rig.Run(101, 60);
        rig.Run(101, 100);
        rig.Run(101, 100);
        rig.Run(101, 40);
        rig.Run(101, 0);
        WatchedThread worker = rig.Thread(101);
        Assert.Equal(300 * Ms, worker.Saturation!.Saturated);
        Assert.Equal(1, worker.HighestShare(rig.Now, 60_000 * Ms));
        Assert.Null(rig.Thread(100).Saturation);
    }

    [Fact]
    public void A_thread_replaced_by_exec_starts_again()
    {
        using FixtureProc proc = new();
        Threads(proc, 2);
        using Rig rig = new(proc);
        rig.Collect();
        rig.Tick();
        rig.Run(101, 100);
        rig.Run(101, 100);
        proc.SchedStat(100, 101, 5 * Ms, 0, 1);
        rig.Tick();
        rig.Collect();
        Assert.Null(rig.Thread(101).Saturation);
        rig.Tick();
        rig.Tick();
        Assert.Null(rig.Thread(101).Saturation);
    }

    [Fact]
    public void Windows_become_longer_when_the_cpu_budget_is_exceeded()
    {
        using FixtureProc proc = new();
        Threads(proc, 200);
        using Rig rig = new(proc);
        rig.Collect();
        SamplerConfig tight = Config with { CpuBudget = 0.000_01 };
        long due = rig.Sampler.Tick(tight, rig.Now);
        Assert.True(due - rig.Now > 100 * Ms);
        Assert.Equal(due - rig.Now, rig.Sampler.Interval);
    }

    [Fact]
    public void A_window_of_seconds_is_not_saturated_but_counts_for_the_peak()
    {
        using FixtureProc proc = new();
        Threads(proc, 2);
        using Rig rig = new(proc);
        rig.Collect();
        rig.Tick();
        rig.Run(101, 100);
        rig.Run(101, 100);
        Assert.Equal(200 * Ms, rig.Thread(101).Saturation!.Saturated);
        // The exporter was stopped for five seconds. When the thread ran within that time is unknown.
        rig.Now += 4900 * Ms;
        rig.Run(101, 4900);
        Assert.Equal(200 * Ms, rig.Thread(101).Saturation!.Saturated);
        Assert.InRange(rig.Thread(101).HighestShare(rig.Now, 60_000 * Ms), 0.97, 1);
        rig.Run(101, 100);
        Assert.Equal(300 * Ms, rig.Thread(101).Saturation!.Saturated);
        // A window that is late by half a second still counts.
        rig.Now += 500 * Ms;
        rig.Run(101, 600);
        Assert.Equal(900 * Ms, rig.Thread(101).Saturation!.Saturated);
    }

    [Fact]
    public void Saturated_time_is_kept_while_a_thread_has_no_descriptor_and_counting_continues_when_it_has_one_again()
    {
        using FixtureProc proc = new();
        Threads(proc, 2);
        using Rig rig = new(proc);
        rig.Collect();
        rig.Tick();
        rig.Run(101, 100);
        rig.Run(101, 100);
        rig.KeepDescriptors(0);
        rig.Run(101, 100);
        Assert.Equal((200 * Ms, -1), (rig.Thread(101).Saturation!.Saturated, rig.Thread(101).Descriptor));
        rig.KeepDescriptors(100);
        // Counting starts with the first window after that.
        rig.Run(101, 100);
        rig.Run(101, 100);
        Assert.Equal(300 * Ms, rig.Thread(101).Saturation!.Saturated);
    }

    [Fact]
    public void A_late_window_is_counted_and_the_interval_is_0_when_switched_off()
    {
        using FixtureProc proc = new();
        Threads(proc, 1);
        using Rig rig = new(proc);
        rig.Collect();
        rig.Tick();
        Assert.Equal(0, rig.Sampler.LateTicks);
        rig.Now += 100 * Ms;
        rig.Tick();
        Assert.Equal(1, rig.Sampler.LateTicks);
        rig.Sampler.Tick(Config with { Enabled = false }, rig.Now);
        Assert.Equal(0, rig.Sampler.Interval);
        // The first window after the sampler was switched off is not late.
        rig.Now += 1000 * Ms;
        rig.Tick();
        Assert.Equal(1, rig.Sampler.LateTicks);
    }

    [Fact]
    public void Idle_threads_are_not_sampled_and_none_that_runs_is_missed()
    {
        using Workload workload = new();
        int[] idle = [.. Enumerable.Range(0, 30).Select(i => workload.Get($"steps idle-{i}"))];
        using LiveCollector live = new(LiveCollector.Config(LiveCollector.Pid(workload.Pid)));
        using ProcfsRoot root = ProcfsRoot.Open("/proc");
        Sampler sampler = new(root, live.Collector);
        WatchedProcess process = live.Collect(workload.Pid)!;
        long now = Clocks.MonotonicNanoseconds();
        sampler.Tick(Config, now);
        sampler.Tick(Config, now += 100 * Ms);
        foreach (int tid in idle)
        {
            workload.Do($"do {tid} burst 30000");
            sampler.Tick(Config, now += 100 * Ms);
            WatchedThread thread = process.Threads.Single(t => t.Tid == tid);
            // At most a tenth of a window is unattributed.
            Assert.InRange(thread.HighestShare(now, 60_000 * Ms), 0.19, 0.5);
        }
    }

    [Fact]
    public void An_impossible_wait_does_not_affect_a_window()
    {
        using FixtureProc proc = new();
        Threads(proc, 2);
        using Rig rig = new(proc);
        rig.Collect();
        rig.Tick();
        rig.Run(101, 100);
        proc.Write("100/task/101/schedstat", "200000000 18446744073709551000 1\n"u8);
        rig.Tick();
        Assert.Equal(200 * Ms, rig.Thread(101).Saturation!.Saturated);
        proc.Write("100/task/101/schedstat", "18446744073709551000 1 1\n"u8);
        rig.Tick();
        Assert.Equal(200 * Ms, rig.Thread(101).Saturation!.Saturated);
    }

    [Fact]
    public void A_process_clock_that_went_backwards_hides_no_thread()
    {
        using FixtureProc proc = new();
        proc.SharePidNamespace();
        int pid = Environment.ProcessId;
        proc.Process(pid, "daemon");
        proc.Thread(pid, pid, "worker"u8);
        using LiveCollector live = new(LiveCollector.Config(LiveCollector.Pid(pid)), proc.Root);
        using ProcfsRoot root = ProcfsRoot.Open(proc.Root);
        Sampler sampler = new(root, live.Collector);
        WatchedProcess process = live.Collect(pid)!;
        sampler.Tick(Config, 1000 * Ms);
        process.Sampling.Clock += 3600_000 * Ms;
        proc.SchedStat(pid, pid, 100 * Ms, 0, 1);
        sampler.Tick(Config, 1100 * Ms);
        Assert.True(process.Threads.Single().HighestShare(1100 * Ms, 60_000 * Ms) >= 0.9);
    }

    private static void Threads(FixtureProc proc, int threads)
    {
        proc.Process(100, "daemon", threads: threads);
        for (int tid = 100; tid < 100 + threads; tid++)
            proc.Thread(100, tid, "worker"u8);
    }

    /// <summary>A sampler on a fixture, with a clock that the test sets.</summary>
    private sealed class Rig : IDisposable
    {
        private readonly FixtureProc _proc;
        private readonly ProcfsRoot _root;
        private readonly LiveCollector _live;
        private readonly Dictionary<int, long> _cpu = [];

        public Rig(FixtureProc proc)
        {
            _proc = proc;
            _root = ProcfsRoot.Open(proc.Root);
            _live = new LiveCollector(LiveCollector.Config(LiveCollector.Pid(100)), proc.Root);
            Sampler = new Sampler(_root, _live.Collector);
        }

        public Sampler Sampler { get; }

        public long Now { get; set; } = 1000 * Ms;

        public void Collect() => _live.Collect(100);

        /// <summary>The same as a reload that changes max_descriptors.</summary>
        public void KeepDescriptors(int maximum)
        {
            ExporterConfig config = LiveCollector.Config(LiveCollector.Pid(100));
            _live.Use(config with { Collector = config.Collector with { MaxDescriptors = maximum } });
            Collect();
        }

        public WatchedThread Thread(int tid) => _live.Collector.Processes.Single().Threads.Single(t => t.Tid == tid);

        public void Tick()
        {
            Now += 100 * Ms;
            Sampler.Tick(Config, Now);
        }

        /// <summary>A window in which the thread runs this many milliseconds.</summary>
        public void Run(int tid, long milliseconds)
        {
            _cpu[tid] = _cpu.GetValueOrDefault(tid) + milliseconds * Ms;
            _proc.SchedStat(100, tid, _cpu[tid], 0, 1);
            Tick();
        }

        public void Dispose()
        {
            _live.Dispose();
            _root.Dispose();
        }
    }
}
