using ThreadExporter.HotThreads;
using ThreadExporter.Tests.Support;
using static ThreadExporter.Tests.Support.Rig;

namespace ThreadExporter.Tests.HotThreads;

/// <summary>
/// <see cref="HotThreadTracker"/>, <see cref="HotThreadReader"/> and <see cref="UsageHistory"/>: snapshots, rows, histories and their memory.
/// </summary>
public class HotThreadTrackerTests
{
    [Fact]
    public void Without_requests_nothing_is_read_or_kept()
    {
        using FixtureProc proc = Rig.Proc(3);
        using Rig rig = new(proc);
        for (int i = 0; i < 3; i++)
            Assert.Same(HotSnapshot.Empty, rig.Snapshot());
        Assert.Null(rig.HotThread(100));
    }

    [Fact]
    public void A_minute_after_the_last_request_all_memory_is_released()
    {
        using FixtureProc proc = Rig.Proc(3);
        using Rig rig = new(proc);
        rig.KeepHotAlive();
        rig.Snapshot();
        rig.Run(101, 500);
        Assert.Single(rig.Snapshot().Hottest);
        rig.Advance(57 * Second);
        rig.Snapshot();
        Assert.Equal(1, rig.Hot.Threads);
        rig.Snapshot();
        Assert.Same(HotSnapshot.Empty, rig.Hot.Current);
        Assert.Equal(0, rig.Hot.Threads);
        Assert.Null(rig.HotThread(101));
        // The next request starts without a history.
        rig.KeepHotAlive();
        Assert.Equal(0, rig.Snapshot().Window);
    }

    [Fact]
    public void Rows_are_threads_that_ran_in_the_last_five_snapshots_ordered_by_cpu_time()
    {
        using FixtureProc proc = Rig.Proc(3);
        using Rig rig = new(proc);
        rig.Run(100, 70_000);
        rig.KeepHotAlive();
        Assert.Equal(0, rig.Snapshot().Window);
        for (int i = 0; i < 7; i++)
        {
            rig.Run(101, 900, waited: 50);
            rig.Run(102, i < 3 ? 1000 : 0);
            rig.Snapshot();
        }
        HotSnapshot snapshot = rig.Hot.Current;
        Assert.Equal(5 * Second, snapshot.Window);
        Assert.Equal((1, 3), (snapshot.Processes, snapshot.Threads));
        Assert.Equal([101, 102], snapshot.Hottest.Select(t => t.Tid));
        Assert.Equal([4500 * Ms, 1000 * Ms], snapshot.Hottest.Select(t => t.Cpu));
        Assert.Equal(250 * Ms, snapshot.Hottest[0].Wait);
        // The process clock cannot be read in another pid namespace: the sum of the threads is used.
        Assert.Equal((false, 5500 * Ms, 5500 * Ms), (snapshot.Hottest[0].Process.HasClock, snapshot.Hottest[0].Process.Cpu, snapshot.Hottest[0].Process.ThreadsCpu));
        Assert.Equal([900, 900, 900, 900, 900, 900, 900], snapshot.Hottest[0].History.Select(p => (int)p));
        Assert.Equal([1000, 1000, 1000, 0, 0, 0, 0], snapshot.Hottest[1].History.Select(p => (int)p));
    }

    [Fact]
    public void User_and_kernel_time_state_and_name_are_those_of_stat()
    {
        using FixtureProc proc = Rig.Proc(2);
        using Rig rig = new(proc);
        rig.KeepHotAlive();
        rig.Snapshot();
        rig.Run(101, 100);
        proc.ThreadStat(100, 101, "first"u8, user: 500, kernel: 20, state: 'R');
        rig.Snapshot();
        rig.Run(101, 800);
        proc.ThreadStat(100, 101, [(byte)'a', 0xff], user: 560, kernel: 40, state: 'D');
        HotThreadRow row = Assert.Single(rig.Snapshot().Hottest);
        Assert.Equal((600 * Ms, 200 * Ms), (row.User, row.Kernel));
        Assert.Equal(('D', "a\\xff"), (row.State, row.Name));
    }

    [Fact]
    public void A_clock_that_decreases_is_another_thread()
    {
        using FixtureProc proc = Rig.Proc(2);
        using Rig rig = new(proc);
        rig.Run(101, 5000);
        rig.KeepHotAlive();
        rig.Snapshot();
        rig.Run(101, 900);
        Assert.Single(rig.Snapshot().Hottest);
        // exec by a worker: tid and descriptor stay, the clock is the worker's.
        proc.SchedStat(100, 101, 300 * Ms, 0, 1);
        Assert.Empty(rig.Snapshot().Hottest);
        proc.SchedStat(100, 101, 400 * Ms, 0, 1);
        HotThreadRow row = Assert.Single(rig.Snapshot().Hottest);
        Assert.Equal(100 * Ms, row.Cpu);
        Assert.Equal([100], row.History.Select(p => (int)p));
        // Also when the worker has run longer than the leader: no thread uses more than a core.
        proc.SchedStat(100, 101, 9000 * Ms, 0, 1);
        Assert.Empty(rig.Snapshot().Hottest);
    }

    [Fact]
    public void The_memory_is_limited_to_200_threads_and_180_points()
    {
        using FixtureProc proc = Rig.Proc(300);
        using Rig rig = new(proc);
        rig.KeepHotAlive(rows: 200);
        rig.Snapshot();
        // Threads with higher tids use more CPU, and 100 start and exit.
        for (int i = 0; i < 4; i++)
        {
            for (int tid = 100; tid < 400; tid++)
                rig.Run(tid, tid >= 200 ? 500 : 1 + i);
            rig.Snapshot();
        }
        Assert.Equal(HotThreadTracker.MaxThreads, rig.Hot.Threads);
        Assert.Equal(HotThreadTracker.MaxThreads, rig.Hot.Current.Hottest.Length);
        Assert.All(rig.Hot.Current.Hottest, t => Assert.InRange(t.Tid, 200, 399));
        Assert.Null(rig.HotThread(150)!.History);
        Assert.Equal(300, rig.Live.Collector.Processes.Single().Threads.Count(t => rig.HotThread(t.Tid) is not null));
    }

    [Fact]
    public void A_history_has_the_documented_size_and_does_not_grow()
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        UsageHistory history = new(1, 0);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1400, 1700);
        before = GC.GetAllocatedBytesForCurrentThread();
        for (int snapshot = 1; snapshot < 1000; snapshot++)
            history.Record(snapshot, Ms, 0, Second, 0);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void A_history_has_180_points_and_is_dropped_when_all_of_them_are_idle()
    {
        using FixtureProc proc = Rig.Proc(2);
        using Rig rig = new(proc);
        rig.KeepHotAlive();
        rig.Snapshot();
        rig.Run(101, 250);
        rig.Snapshot();
        for (int i = 1; i < UsageHistory.Points; i++)
        {
            rig.KeepHotAlive();
            rig.Snapshot();
        }
        ushort[] history = Assert.Single(rig.Hot.Current.Hottest).History;
        Assert.Equal(UsageHistory.Points, history.Length);
        Assert.Equal(250, history[0]);
        Assert.All(history[1..], share => Assert.Equal(0, share));
        Assert.Empty(rig.Snapshot().Hottest);
        Assert.Equal(0, rig.Hot.Threads);
    }

    [Fact]
    public void A_thread_that_exits_disappears()
    {
        using FixtureProc proc = Rig.Proc(2);
        using Rig rig = new(proc, maxDescriptors: 0);
        rig.KeepHotAlive();
        rig.Snapshot();
        rig.Run(101, 900);
        Assert.Single(rig.Snapshot().Hottest);
        Directory.Delete(Path.Combine(proc.Root, "100/task/101"), recursive: true);
        Assert.Empty(rig.Snapshot().Hottest);
    }

    [Fact]
    public void A_thread_started_since_the_last_collection_is_found_and_keeps_its_history_when_it_is_collected()
    {
        using FixtureProc proc = Rig.Proc(1);
        using Rig rig = new(proc);
        rig.KeepHotAlive();
        rig.Snapshot();
        proc.Thread(100, 105, "newborn"u8);
        proc.ProcessStat(100, "daemon", threads: 2);
        rig.Snapshot();
        rig.Run(105, 300);
        Assert.Equal("newborn", Assert.Single(rig.Snapshot().Hottest).Name);
        Assert.Equal(2, rig.Hot.Current.Threads);
        Assert.Single(rig.Live.Collector.Processes.Single().Threads);
        rig.Collect();
        rig.Run(105, 400);
        Assert.Equal([300, 400], Assert.Single(rig.Snapshot().Hottest).History.Select(p => (int)p));
        Assert.Equal(2, rig.Hot.Current.Threads);
        Assert.NotNull(rig.HotThread(105));
    }

    [Fact]
    public void A_process_started_since_the_last_collection_is_found()
    {
        using FixtureProc proc = Rig.Proc(1);
        using Rig rig = new(Rig.Config() with { Filters = [LiveCollector.Pid(100, 300)] }, proc);
        rig.KeepHotAlive();
        rig.Snapshot();
        proc.Process(300, "restarted");
        proc.Thread(300, 300, "main"u8);
        for (int i = 1; i <= 4; i++)
        {
            rig.Snapshot();
            proc.SchedStat(300, 300, i * 700 * Ms, 0, 1);
        }
        HotThreadRow row = Assert.Single(rig.Snapshot().Hottest);
        Assert.Equal(("restarted", "by pid", 300), (row.Process.Name, row.Process.Filter, row.Tid));
        Assert.Equal(1, rig.Live.Collector.Collections);
    }

    [Fact]
    public void Snapshots_do_not_change_the_state_of_collections()
    {
        using FixtureProc proc = Rig.Proc(2);
        using Rig rig = new(proc);
        string before = rig.Live.Render();
        rig.KeepHotAlive();
        rig.Snapshot();
        rig.Run(101, 900, waited: 100);
        proc.ThreadStat(100, 101, "renamed"u8, 90, 0);
        rig.Snapshot();
        Assert.Equal("renamed", Assert.Single(rig.Hot.Current.Hottest).Name);
        Assert.Equal(before, rig.Live.Render());
    }

    [Fact]
    public void Without_sched_info_the_ticks_of_stat_are_used()
    {
        using FixtureProc proc = Rig.Proc(2);
        proc.Write("self/schedstat", "0 0 0\n"u8);
        using Rig rig = new(proc);
        rig.KeepHotAlive();
        rig.Snapshot();
        proc.ThreadStat(100, 101, "ticker"u8, user: 30, kernel: 10);
        HotThreadRow row = Assert.Single(rig.Snapshot().Hottest);
        Assert.Equal(400 * Ms, row.Cpu);
        Assert.Null(row.Wait);
        Assert.Null(row.Saturated);
    }

    [Fact]
    public void Snapshots_become_less_frequent_when_they_exceed_the_cpu_budget_of_the_sampler()
    {
        using FixtureProc proc = Rig.Proc(200);
        using Rig rig = new(Rig.Config() with { Sampler = new() { CpuBudget = 0.000_01 } }, proc);
        rig.KeepHotAlive();
        // The second one follows the first soon, whatever it costs.
        Assert.True(rig.Hot.Tick(rig.Live.Snapshot, rig.Now) - rig.Now < Second);
        rig.Advance(Second);
        Assert.True(rig.Hot.Tick(rig.Live.Snapshot, rig.Now) - rig.Now > Second);
        Assert.True(rig.Hot.Current.Interval > Second);
    }

    [Fact]
    public void The_cpu_time_of_a_real_process_adds_up_while_threads_start_and_exit()
    {
        using Workload workload = new();
        workload.Spawn("steady", "30");
        using Rig rig = new(Rig.Config() with { Filters = [LiveCollector.Pid(workload.Pid)] });
        rig.KeepHotAlive();
        rig.Snapshot();
        for (int i = 0; i < 4; i++)
        {
            workload.Churn(5, 5);
            rig.Snapshot();
        }
        HotSnapshot snapshot = rig.Hot.Current;
        HotProcessRow process = snapshot.Hottest[0].Process;
        long hottest = snapshot.Hottest.Sum(t => t.Cpu);
        Assert.InRange(hottest, 1, process.ThreadsCpu);
        // The exited threads have used 100 ms together, which no live thread accounts for.
        Assert.InRange(process.Cpu - process.ThreadsCpu, 60 * Ms, 4 * Second);
        Assert.True(process.HasClock);
    }
}
