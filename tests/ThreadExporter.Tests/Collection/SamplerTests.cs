using ThreadExporter.Collection;
using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Model;
using ThreadExporter.Procfs;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Collection;

public class SamplerTests
{
    private const long Ms = 1_000_000;
    private static readonly SamplerConfig Config = new() { CpuBudget = 1 };

    [Fact]
    public void Reads_windows_of_the_threads_own_clocks()
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
    public void A_thread_replaced_by_exec_begins_anew()
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
    public void Beyond_its_budget_the_windows_become_longer()
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
    public void A_window_of_seconds_is_no_full_burn_but_counts_for_the_peak()
    {
        using FixtureProc proc = new();
        Threads(proc, 2);
        using Rig rig = new(proc);
        rig.Collect();
        rig.Tick();
        rig.Run(101, 100);
        rig.Run(101, 100);
        Assert.Equal(200 * Ms, rig.Thread(101).Saturation!.Saturated);
        // The exporter was stopped for five seconds, in which the thread ran all the time or not: nobody knows when.
        rig.Now += 4900 * Ms;
        rig.Run(101, 4900);
        Assert.Equal(200 * Ms, rig.Thread(101).Saturation!.Saturated);
        Assert.InRange(rig.Thread(101).HighestShare(rig.Now, 60_000 * Ms), 0.97, 1);
        rig.Run(101, 100);
        Assert.Equal(300 * Ms, rig.Thread(101).Saturation!.Saturated);
        // Late by half a second it still tells.
        rig.Now += 500 * Ms;
        rig.Run(101, 600);
        Assert.Equal(900 * Ms, rig.Thread(101).Saturation!.Saturated);
    }

    [Fact]
    public void What_was_counted_stands_when_a_thread_loses_its_descriptor_and_counting_goes_on_when_it_has_one()
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
        // The first window with it is the new beginning.
        rig.Run(101, 100);
        rig.Run(101, 100);
        Assert.Equal(300 * Ms, rig.Thread(101).Saturation!.Saturated);
    }

    [Fact]
    public void A_late_window_is_counted_and_switched_off_is_0()
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
        // After a while switched off, the first window is not late.
        rig.Now += 1000 * Ms;
        rig.Tick();
        Assert.Equal(1, rig.Sampler.LateTicks);
    }

    [Fact]
    public void Threads_that_ran_hardly_at_all_are_not_looked_at_and_yet_none_is_missed()
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
            // A tenth of a window at most is owed.
            Assert.InRange(thread.HighestShare(now, 60_000 * Ms), 0.19, 0.5);
        }
    }

    [Fact]
    public void A_wait_that_cannot_be_takes_nothing_from_a_window()
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

    /// <summary>A sampler on a fixture, with a clock of its own.</summary>
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

        /// <summary>As a reload that changes max_descriptors.</summary>
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

        /// <summary>One window in which the thread runs so many milliseconds.</summary>
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
