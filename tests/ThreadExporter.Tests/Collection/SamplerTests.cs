using ThreadExporter.Configuration;
using ThreadExporter.Model;
using ThreadExporter.Tests.Support;
using static ThreadExporter.Tests.Support.Rig;

namespace ThreadExporter.Tests.Collection;

/// <summary><see cref="ThreadExporter.Collection.Sampler"/>: saturated time, peaks, late windows and the CPU budget, on fixtures and on a real process.</summary>
public class SamplerTests
{
    private static readonly SamplerConfig Config = Rig.Config().Sampler;

    [Fact]
    public void Windows_are_measured_by_the_clocks_of_the_threads()
    {
        using FixtureProc proc = Rig.Proc(2);
        using Rig rig = new(proc);
        rig.Window();
        rig.Window(101, 60);
        rig.Window(101, 100);
        rig.Window(101, 100);
        rig.Window(101, 40);
        rig.Window(101, 0);
        WatchedThread worker = rig.Thread(101);
        Assert.Equal(300 * Ms, worker.Saturation!.Saturated);
        Assert.Equal(1, worker.HighestShare(rig.Now, 60_000 * Ms));
        Assert.Null(rig.Thread(100).Saturation);
    }

    [Fact]
    public void A_thread_that_a_collection_found_replaced_by_exec_gets_no_window_of_its_earlier_time()
    {
        using FixtureProc proc = Rig.Proc(2);
        using Rig rig = new(proc);
        rig.Window();
        for (int i = 0; i < 3; i++)
            rig.Window(101, 100);
        rig.Collect();
        // The descriptor now belongs to a thread with less CPU time, and the collection sees it before the sampler does.
        proc.SchedStat(100, 101, 200 * Ms, 0, 1);
        rig.Collect();
        proc.SchedStat(100, 101, 210 * Ms, 0, 1);
        rig.Window();
        Assert.Equal((0, 0f), (rig.Thread(101).Saturation?.Saturated ?? 0, rig.Thread(101).HighestShare(rig.Now, 60_000 * Ms)));
        proc.SchedStat(100, 101, 310 * Ms, 0, 1);
        rig.Window();
        Assert.Equal(100 * Ms, rig.Thread(101).Saturation!.Saturated);
    }

    [Fact]
    public void A_thread_replaced_by_exec_starts_again()
    {
        using FixtureProc proc = Rig.Proc(2);
        using Rig rig = new(proc);
        rig.Window();
        rig.Window(101, 100);
        rig.Window(101, 100);
        proc.SchedStat(100, 101, 5 * Ms, 0, 1);
        rig.Window();
        rig.Collect();
        Assert.Null(rig.Thread(101).Saturation);
        rig.Window();
        rig.Window();
        Assert.Null(rig.Thread(101).Saturation);
    }

    [Fact]
    public void Windows_become_longer_when_the_cpu_budget_is_exceeded()
    {
        using FixtureProc proc = Rig.Proc(200);
        using Rig rig = new(proc);
        SamplerConfig tight = Config with { CpuBudget = 0.000_01 };
        long due = rig.Sampler.Tick(tight, rig.Now);
        Assert.True(due - rig.Now > 100 * Ms);
        Assert.Equal(due - rig.Now, rig.Sampler.Interval);
    }

    [Fact]
    public void A_window_of_seconds_is_not_saturated_but_counts_for_the_peak()
    {
        using FixtureProc proc = Rig.Proc(2);
        using Rig rig = new(proc);
        rig.Window();
        rig.Window(101, 100);
        rig.Window(101, 100);
        Assert.Equal(200 * Ms, rig.Thread(101).Saturation!.Saturated);
        // The exporter was stopped for five seconds, in which the thread ran for all of the time or a part: when is unknown.
        rig.Advance(4900 * Ms);
        rig.Window(101, 4900);
        Assert.Equal(200 * Ms, rig.Thread(101).Saturation!.Saturated);
        Assert.InRange(rig.Thread(101).HighestShare(rig.Now, 60_000 * Ms), 0.97, 1);
        rig.Window(101, 100);
        Assert.Equal(300 * Ms, rig.Thread(101).Saturation!.Saturated);
        // A window that is half a second late still counts.
        rig.Advance(500 * Ms);
        rig.Window(101, 600);
        Assert.Equal(900 * Ms, rig.Thread(101).Saturation!.Saturated);
    }

    [Fact]
    public void Saturated_time_is_kept_while_a_thread_has_no_descriptor_and_counting_continues_when_it_has_one_again()
    {
        using FixtureProc proc = Rig.Proc(2);
        using Rig rig = new(proc);
        rig.Window();
        rig.Window(101, 100);
        rig.Window(101, 100);
        rig.Live.Use(Rig.Config(maxDescriptors: 0));
        rig.Collect();
        rig.Window(101, 100);
        Assert.Equal((200 * Ms, -1), (rig.Thread(101).Saturation!.Saturated, rig.Thread(101).Descriptor));
        rig.Live.Use(Rig.Config(maxDescriptors: 100));
        rig.Collect();
        // The first window with it is the new beginning.
        rig.Window(101, 100);
        rig.Window(101, 100);
        Assert.Equal(300 * Ms, rig.Thread(101).Saturation!.Saturated);
    }

    [Fact]
    public void A_late_window_is_counted_and_the_interval_is_0_when_switched_off()
    {
        using FixtureProc proc = Rig.Proc(1);
        using Rig rig = new(proc);
        rig.Window();
        Assert.Equal(0, rig.Sampler.LateTicks);
        rig.Advance(100 * Ms);
        rig.Window();
        Assert.Equal(1, rig.Sampler.LateTicks);
        rig.Sampler.Tick(Config with { Enabled = false }, rig.Now);
        Assert.Equal(0, rig.Sampler.Interval);
        // After a while switched off, the first window is not late.
        rig.Advance(1000 * Ms);
        rig.Window();
        Assert.Equal(1, rig.Sampler.LateTicks);
    }

    [Fact]
    public void Idle_threads_are_not_sampled_and_none_that_runs_is_missed()
    {
        using Workload workload = new();
        int[] idle = [.. Enumerable.Range(0, 30).Select(i => workload.Get($"steps idle-{i}"))];
        using Rig rig = new(Rig.Config() with { Filters = [LiveCollector.Pid(workload.Pid)] });
        rig.Window();
        rig.Window();
        foreach (int tid in idle)
        {
            workload.Do($"do {tid} burst 30000");
            rig.Window();
            // A tenth of a window at most is owed.
            Assert.InRange(rig.Thread(tid).HighestShare(rig.Now, 60_000 * Ms), 0.19, 0.5);
        }
    }

    [Fact]
    public void Among_many_threads_rested_ones_are_looked_for_every_second_window_and_active_ones_in_each()
    {
        using Workload workload = new();
        int[] threads = [.. Enumerable.Range(0, 500).Select(i => workload.Get($"steps idle-{i}"))];
        using Rig rig = new(Rig.Config() with { Filters = [LiveCollector.Pid(workload.Pid)] });
        // The process clock is read in the first window, and is due in the third.
        rig.Window();
        Burst(threads[1]);
        Assert.Equal(0, Peak(threads[1]));
        Burst(threads[2]);
        Assert.InRange(Peak(threads[1]), 0.25, 0.45);
        Assert.InRange(Peak(threads[2]), 0.25, 0.45);
        // Both are active now.
        Burst(threads[1]);
        Assert.InRange(Peak(threads[1]), 0.55, 0.9);
        Burst(threads[2]);
        Assert.InRange(Peak(threads[2]), 0.55, 0.9);

        void Burst(int tid)
        {
            workload.Do($"do {tid} burst 60000");
            rig.Window();
        }

        float Peak(int tid) => rig.Thread(tid).HighestShare(rig.Now, 60_000 * Ms);
    }

    [Fact]
    public void An_impossible_wait_does_not_affect_a_window()
    {
        using FixtureProc proc = Rig.Proc(2);
        using Rig rig = new(proc);
        rig.Window();
        rig.Window(101, 100);
        proc.Write("100/task/101/schedstat", "200000000 18446744073709551000 1\n"u8);
        rig.Window();
        Assert.Equal(200 * Ms, rig.Thread(101).Saturation!.Saturated);
        proc.Write("100/task/101/schedstat", "18446744073709551000 1 1\n"u8);
        rig.Window();
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
        using Rig rig = new(Rig.Config() with { Filters = [LiveCollector.Pid(pid)] }, proc);
        rig.Window();
        rig.Live.Collector.Processes.Single().Sampling.Clock += 3600_000 * Ms;
        proc.SchedStat(pid, pid, 100 * Ms, 0, 1);
        rig.Window();
        Assert.True(rig.Thread(pid).HighestShare(rig.Now, 60_000 * Ms) >= 0.9);
    }
}
