using System.Text;
using Microsoft.Extensions.Time.Testing;
using ThreadExporter.Configuration;
using ThreadExporter.Model;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Collection;

/// <summary><see cref="ThreadExporter.Collection.ThreadReader"/> on the real kernel and on fixtures.</summary>
public class ThreadReaderTests
{
    [Fact]
    public void The_cpu_time_of_the_busiest_thread_is_that_of_its_clock()
    {
        using Workload workload = new();
        int hot = workload.Spawn("hot-thread", "burn");
        int warm = workload.Spawn("warm-thread", "20");
        workload.Spawn("cold-thread", "idle");
        using LiveCollector live = new(LiveCollector.Config(LiveCollector.Pid(workload.Pid)));
        Assert.NotNull(live.Collect(workload.Pid));
        Eventually.True(() => Cpu(hot) > 200_000_000 && Cpu(warm) > 0 && Cpu(hot) > 2 * Cpu(warm), "both have run, one of them more");
        long before = workload.Cpu(hot);
        WatchedProcess process = live.Collect(workload.Pid)!;
        long after = workload.Cpu(hot);

        WatchedThread busiest = process.Threads.MaxBy(t => t.Cpu)!;
        Assert.Equal(hot, busiest.Tid);
        Assert.Equal("hot-thread", Encoding.UTF8.GetString(busiest.Reading.Name));
        // The schedstat of a running thread is late by up to one scheduler tick (10 ms with HZ=100).
        Assert.InRange(busiest.Cpu, before - 15_000_000, after);
        Assert.InRange(process.Threads.Single(t => t.Tid == warm).Cpu, 1, busiest.Cpu - 1);
        // User and kernel time are the same time in ticks. The process clock is not less than the sum of its threads.
        Assert.InRange(busiest.Reading.Counters.User + busiest.Reading.Counters.Kernel, busiest.Cpu - 40_000_000, busiest.Cpu + 40_000_000);
        Assert.True(process.Balance.Cpu >= process.Threads.Sum(t => t.Cpu));

        long Cpu(int tid) => Kernel.SchedStat(workload.Pid, tid).Cpu;
    }

    [Fact]
    public void Threads_appear_and_disappear_with_the_next_collection()
    {
        using Workload workload = new();
        using LiveCollector live = new(LiveCollector.Config(LiveCollector.Pid(workload.Pid)));
        live.Collect(workload.Pid);
        int tid = workload.Spawn("new", "idle");
        Assert.Contains(live.Collect(workload.Pid)!.Threads, t => t.Tid == tid);
        workload.Exit(tid);
        Assert.DoesNotContain(live.Collect(workload.Pid)!.Threads, t => t.Tid == tid);
    }

    [Fact]
    public void A_hostile_name_that_a_thread_sets_itself_is_shown_once_it_has_run()
    {
        using Workload workload = new();
        int tid = workload.Spawn("meek", "50");
        using LiveCollector live = new(LiveCollector.Config(LiveCollector.Pid(workload.Pid)));
        live.Collect(workload.Pid);
        long before = Kernel.SchedStat(workload.Pid, tid).Cpu;
        workload.Rename(tid, [0xff, (byte)'"', (byte)'\n', (byte)')', (byte)' ', (byte)'(']);
        Eventually.True(() => Kernel.SchedStat(workload.Pid, tid).Cpu > before, "it has run");
        live.Collect(workload.Pid);
        Assert.Contains($"tid=\"{tid}\",tname=\"\\\\xff\\\"\\n) (\"", live.Render(), StringComparison.Ordinal);
    }

    [Fact]
    public void Stat_of_an_idle_thread_is_read_only_when_its_refresh_is_due()
    {
        using FixtureProc proc = OneThread();
        ExporterConfig config = LiveCollector.Config(new FilterConfig { Name = "f", Comm = ["f"] }) with
        {
            Collector = new CollectorConfig { RescanInterval = TimeSpan.Zero, RefreshInterval = TimeSpan.FromHours(1) },
        };
        FakeTimeProvider clock = FakeClock.Create();
        using LiveCollector live = new(config, proc.Root, time: clock);
        live.Collect(10);
        // The run time has not changed: stat is not read and the new name not known ...
        proc.ThreadStat(10, 11, "renamed"u8, 1, 1);
        Assert.Equal("worker", NameOf(live.Collect(10)!, 11));
        // ... until the thread runs ...
        proc.SchedStat(10, 11, 20_000_001, 5, 6);
        Assert.Equal("renamed", NameOf(live.Collect(10)!, 11));
        // ... or the refresh is due.
        proc.ThreadStat(10, 11, "again"u8, 1, 1);
        clock.Advance(config.Collector.RefreshInterval);
        Assert.Equal("again", NameOf(live.Collect(10)!, 11));
    }

    [Fact]
    public void A_decrease_behind_a_descriptor_is_another_thread_and_its_counters_restart()
    {
        using FixtureProc proc = OneThread();
        using LiveCollector live = new(LiveCollector.Config(new FilterConfig { Name = "f", Comm = ["f"] }), proc.Root);
        live.Collect(10);
        // exec by a worker thread: the leader's descriptor reads the worker now.
        proc.SchedStat(10, 11, 3_000_000, 1, 1);
        proc.ThreadStat(10, 11, "execed"u8, 0, 0);
        WatchedThread thread = live.Collect(10)!.Threads.Single(t => t.Tid == 11);
        Assert.Equal((3_000_000, 0, "execed"), (thread.Cpu, thread.Reading.Counters.User, Encoding.UTF8.GetString(thread.Reading.Name)));
    }

    [Fact]
    public void A_reused_tid_is_dropped_and_found_again()
    {
        using FixtureProc proc = OneThread();
        ExporterConfig config = LiveCollector.Config(new FilterConfig { Name = "f", Comm = ["f"] });
        // By path: no descriptor proves the identity, only the start time does.
        config = config with { Collector = config.Collector with { MaxDescriptors = 0 } };
        using LiveCollector live = new(config, proc.Root);
        Assert.Equal(-1, live.Collect(10)!.Threads[0].Descriptor);
        proc.SchedStat(10, 11, 99_000_000, 50, 60);
        proc.ThreadStat(10, 11, "reborn"u8, 9, 0, start: 5_000);
        WatchedThread thread = live.Collect(10)!.Threads.Single(t => t.Tid == 11);
        Assert.Equal((5_000UL, "reborn", 99_000_000), (thread.Reading.StartTicks, Encoding.UTF8.GetString(thread.Reading.Name), thread.Cpu));
    }

    [Fact]
    public void Without_sched_info_stat_is_read_and_two_metrics_are_left_out()
    {
        using FixtureProc proc = OneThread();
        proc.Write("self/schedstat", "0 0 0\n"u8);
        proc.SchedStat(10, 10, 0, 0, 0);
        proc.SchedStat(10, 11, 0, 0, 0);
        using LiveCollector live = new(LiveCollector.Config(new FilterConfig { Name = "f", Comm = ["f"] }), proc.Root);
        live.Collect(10);
        proc.ThreadStat(10, 11, "worker"u8, 300, 25);
        WatchedThread thread = live.Collect(10)!.Threads.Single(t => t.Tid == 11);
        Assert.Equal((3_000_000_000, 250_000_000, 3_250_000_000), (thread.Reading.Counters.User, thread.Reading.Counters.Kernel, thread.Cpu));
        string text = live.Render();
        Assert.DoesNotContain("runqueue", text, StringComparison.Ordinal);
        Assert.DoesNotContain("timeslices", text, StringComparison.Ordinal);
    }

    [Fact]
    public void With_fewer_descriptors_than_threads_every_thread_is_still_shown()
    {
        using Workload workload = new();
        int[] tids = [.. Enumerable.Range(0, 20).Select(i => workload.Spawn($"t{i}", "5"))];
        ExporterConfig config = LiveCollector.Config(LiveCollector.Pid(workload.Pid));
        config = config with { Collector = config.Collector with { MaxDescriptors = 7 } };
        using LiveCollector live = new(config);
        live.Collect(workload.Pid);
        Eventually.True(() => tids.All(tid => Kernel.SchedStat(workload.Pid, tid).Cpu > 0), "all have run");
        WatchedProcess process = live.Collect(workload.Pid)!;
        Assert.Equal(7, process.Threads.Count(t => t.Descriptor >= 0));
        Assert.All(tids, tid => Assert.True(process.Threads.Single(t => t.Tid == tid).Cpu > 0));
        // The directory of the process is kept too.
        Assert.Equal(8, live.Collector.Descriptors);
    }

    [Fact]
    public void Malformed_files_are_counted_and_the_other_threads_shown()
    {
        using FixtureProc proc = OneThread();
        using LiveCollector live = new(LiveCollector.Config(new FilterConfig { Name = "f", Comm = ["f"] }), proc.Root);
        live.Collect(10);
        proc.Write("10/task/11/schedstat", "12 garbage"u8);
        proc.SchedStat(10, 10, 777, 1, 1);
        WatchedProcess process = live.Collect(10)!;
        Assert.Equal(777, process.Threads[0].Cpu);
        Assert.Equal(20_000_000, process.Threads[1].Cpu);
        Assert.Equal(1, live.Collector.Errors.Malformed);
    }

    [Fact]
    public void Collecting_an_idle_process_allocates_nothing_per_thread()
    {
        using Workload workload = new();
        for (int i = 0; i < 50; i++)
            workload.Spawn($"t{i}", "idle");
        using LiveCollector live = new(LiveCollector.Pid(workload.Pid));
        for (int i = 0; i < 5; i++)
            live.Collector.Collect(live.Snapshot);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            live.Collector.Collect(live.Snapshot);
        long perCollection = (GC.GetAllocatedBytesForCurrentThread() - before) / 100;
        Assert.True(perCollection < 1000, $"{perCollection} bytes a collection");
    }

    private static string NameOf(WatchedProcess process, int tid) =>
        Encoding.UTF8.GetString(process.Threads.Single(t => t.Tid == tid).Reading.Name);

    private static FixtureProc OneThread()
    {
        FixtureProc proc = new();
        proc.Process(10, "f", threads: 2);
        proc.Thread(10, 10, "f"u8, 1_000_000, 1, 1);
        proc.Thread(10, 11, "worker"u8, 20_000_000, 5, 6, user: 1, kernel: 1);
        return proc;
    }
}
