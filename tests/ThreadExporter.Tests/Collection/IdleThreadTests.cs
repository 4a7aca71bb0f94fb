using System.Text;
using Microsoft.Extensions.Time.Testing;
using ThreadExporter.Configuration;
using ThreadExporter.Model;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Collection;

/// <summary>
/// <see cref="ThreadExporter.Collection.ThreadReader"/> and a thread whose run time has not moved: its <c>stat</c> is read only when its refresh is
/// due, and the refreshes are spread evenly.
/// </summary>
public class IdleThreadTests
{
    [Fact]
    public void Wait_and_timeslices_of_an_idle_thread_are_taken_from_schedstat()
    {
        using FixtureProc proc = new();
        proc.Process(10, "f");
        proc.Thread(10, 10, "f"u8, 1_000, 1, 1);
        using LiveCollector live = new(Config(TimeSpan.FromHours(1)), proc.Root);
        live.Collect(10);
        proc.SchedStat(10, 10, 1_000, 2_000, 2);
        WatchedThread thread = live.Collect(10)!.Threads[0];
        Assert.Equal((1_000, 2_000, 2), (thread.Cpu, thread.Reading.Counters.Wait, thread.Reading.Counters.Timeslices));
    }

    /// <summary>A decrease of wait or timeslices does not: <see cref="OddNumberTests"/>.</summary>
    [Fact]
    public void When_the_run_time_decreases_stat_is_read()
    {
        using FixtureProc proc = new();
        proc.Process(10, "f");
        proc.Thread(10, 10, "f"u8, 20_000_000, 5, 6, user: 1, kernel: 1);
        using LiveCollector live = new(Config(TimeSpan.FromHours(1)), proc.Root);
        live.Collect(10);
        proc.SchedStat(10, 10, 19_999_999, 5, 6);
        proc.ThreadStat(10, 10, "execed"u8, 0, 1);
        WatchedThread thread = live.Collect(10)!.Threads[0];
        Assert.Equal((19_999_999, 5, 6, 0, "execed"), (thread.Cpu, thread.Reading.Counters.Wait, thread.Reading.Counters.Timeslices, thread.Reading.Counters.User, Encoding.UTF8.GetString(thread.Reading.Name)));
    }

    [Fact]
    public void Refreshes_are_spread_evenly_over_collections_even_after_all_threads_ran_at_once()
    {
        const int Threads = 300;
        const int Rounds = 40;
        TimeSpan interval = TimeSpan.FromSeconds(60);
        using FixtureProc proc = new();
        proc.Process(10, "f", threads: Threads);
        for (int tid = 10; tid < 10 + Threads; tid++)
            proc.Thread(10, tid, "found"u8, 1);
        FakeTimeProvider clock = FakeClock.Create();
        using LiveCollector live = new(Config(interval), proc.Root, time: clock);
        live.Collect(10);
        for (int tid = 10; tid < 10 + Threads; tid++)
        {
            proc.ThreadStat(10, tid, "ran"u8, 0, 0);
            proc.SchedStat(10, tid, 2, 0, 0);
        }
        WatchedProcess process = live.Collect(10)!;
        Assert.All(process.Threads, t => Assert.Equal("ran", Encoding.UTF8.GetString(t.Reading.Name)));

        HashSet<int> refreshed = [];
        for (int round = 1; round <= Rounds; round++)
        {
            string name = $"round {round}";
            for (int tid = 10; tid < 10 + Threads; tid++)
                proc.ThreadStat(10, tid, Encoding.ASCII.GetBytes(name), 0, 0);
            clock.Advance(interval / Rounds);
            live.Collect(10);
            int[] now = [.. process.Threads.Where(t => Encoding.UTF8.GetString(t.Reading.Name) == name).Select(t => t.Tid)];
            // The moments of 300 threads are spread by a hash, so not to the thread.
            Assert.True(now.Length <= Threads * 1.5 / Rounds + 10, $"{now.Length} of {Threads} threads in a fortieth of the interval");
            refreshed.UnionWith(now);
        }
        Assert.Equal(Threads, refreshed.Count);
    }

    [Fact]
    public void Without_sched_info_stat_is_read_in_each_collection()
    {
        using FixtureProc proc = new();
        proc.Write("self/schedstat", "0 0 0\n"u8);
        proc.Process(10, "f", threads: 2);
        proc.Thread(10, 10, "f"u8);
        proc.Thread(10, 11, "worker"u8, user: 100, kernel: 20);
        using LiveCollector live = new(Config(TimeSpan.FromHours(1)), proc.Root);
        WatchedThread worker = live.Collect(10)!.Threads[1];
        // Wait and timeslices are unknown.
        Assert.Equal((1_200_000_000, -1, -1), (worker.Cpu, worker.Reading.Counters.Wait, worker.Reading.Counters.Timeslices));
        // The times have not changed, but the new name is read through the kept descriptor on stat.
        Assert.True(worker.Descriptor >= 0);
        proc.ThreadStat(10, 11, "renamed"u8, 100, 20, state: 'D');
        live.Collect(10);
        Assert.Equal(("renamed", 'D'), (Encoding.UTF8.GetString(worker.Reading.Name), (char)worker.Reading.State));
        // exec by a worker thread: the same start time, lower values.
        proc.ThreadStat(10, 11, "execed"u8, 3, 1);
        Assert.Same(worker, live.Collect(10)!.Threads[1]);
        Assert.Equal((30_000_000, 10_000_000, 40_000_000), (worker.Reading.Counters.User, worker.Reading.Counters.Kernel, worker.Cpu));
        // Another start time is another thread.
        proc.ThreadStat(10, 11, "reborn"u8, 50, 0, start: 900);
        WatchedThread reborn = live.Collect(10)!.Threads[1];
        Assert.NotSame(worker, reborn);
        Assert.Equal((900UL, 500_000_000), (reborn.Reading.StartTicks, reborn.Cpu));
    }

    private static ExporterConfig Config(TimeSpan refresh) => new()
    {
        Filters = [new FilterConfig { Name = "f", Comm = ["f"] }],
        Collector = new CollectorConfig { RescanInterval = TimeSpan.Zero, RefreshInterval = refresh },
    };
}
