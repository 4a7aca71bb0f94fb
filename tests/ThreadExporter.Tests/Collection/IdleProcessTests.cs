using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Model;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Collection;

/// <summary>
/// A process clock that has not moved: nothing is read, and nothing may be missed. In the fixtures the clock is that of a
/// real process, while the files are the test's, so that what was not read shows.
/// </summary>
public sealed class IdleProcessTests : IDisposable
{
    private readonly FixtureProc _proc = new();
    private readonly Sleeper _sleeper = new();
    private readonly FakeTimeProvider _clock = FakeClock.Create();

    public IdleProcessTests()
    {
        _proc.SharePidNamespace();
        _proc.Process(_sleeper.Pid, "f", threads: 2);
        _proc.Thread(_sleeper.Pid, _sleeper.Pid, "f"u8, 1_000, 1, 1);
        _proc.Thread(_sleeper.Pid, 11, "worker"u8, 20_000, 5, 6);
    }

    public void Dispose()
    {
        _sleeper.Dispose();
        _proc.Dispose();
    }

    [Fact]
    public void While_the_clock_stands_the_threads_are_not_read_and_when_it_moved_they_are()
    {
        using LiveCollector live = Live(TimeSpan.FromHours(1));
        // Often enough that they count as idle.
        for (int i = 0; i < 8; i++)
            Assert.Equal(20_000, Worker(live).Cpu);
        _proc.SchedStat(_sleeper.Pid, 11, 30_000, 7, 8);
        Assert.Equal(20_000, Worker(live).Cpu);
        _sleeper.Run();
        WatchedThread worker = Worker(live);
        Assert.Equal((30_000, 7, 8), (worker.Cpu, worker.Reading.Counters.Wait, worker.Reading.Counters.Timeslices));
    }

    [Fact]
    public void Threads_due_for_refresh_are_read_even_while_it_stands()
    {
        TimeSpan refresh = TimeSpan.FromSeconds(5);
        using LiveCollector live = Live(refresh);
        Worker(live);
        _proc.ThreadStat(_sleeper.Pid, 11, "renamed"u8, 0, 0, state: 'D');
        _clock.Advance(refresh);
        WatchedThread worker = Worker(live);
        Assert.Equal(("renamed", 'D'), (Encoding.UTF8.GetString(worker.Reading.Name), (char)worker.Reading.State));
    }

    [Fact]
    public void A_process_that_took_the_pid_is_not_hidden_by_a_clock_that_reads_the_same()
    {
        using LiveCollector live = Live(TimeSpan.FromHours(1), TimeSpan.FromHours(1));
        WatchedProcess before = live.Collect(_sleeper.Pid)!;
        Assert.Same(before, live.Collect(_sleeper.Pid));
        Directory.Delete(Path.Combine(_proc.Root, _sleeper.Pid.ToString(CultureInfo.InvariantCulture)), recursive: true);
        _proc.Process(_sleeper.Pid, "f", threads: 1, start: 300);
        _proc.Thread(_sleeper.Pid, _sleeper.Pid, "f"u8, 5, start: 300);
        Assert.Null(live.Collect(_sleeper.Pid));
        WatchedProcess after = live.Collect(_sleeper.Pid)!;
        Assert.Equal((300UL, 5), (after.StartTicks, Assert.Single(after.Threads).Cpu));
    }

    [Fact]
    public void What_could_not_be_read_is_read_again_though_the_clock_stands()
    {
        using LiveCollector live = Live(TimeSpan.FromHours(1));
        Worker(live);
        _proc.Write($"{_sleeper.Pid}/task/11/schedstat", "nonsense"u8);
        _sleeper.Run();
        Assert.Equal(20_000, Worker(live).Cpu);
        Assert.Equal(1, live.Collector.Errors.Malformed);
        _proc.SchedStat(_sleeper.Pid, 11, 30_000, 7, 8);
        Assert.Equal(30_000, Worker(live).Cpu);

        // Likewise the count of threads ...
        _proc.Thread(_sleeper.Pid, 12, "late"u8, 1);
        _proc.Write($"{_sleeper.Pid}/stat", "nonsense"u8);
        _sleeper.Run();
        Assert.Equal(2, live.Collect(_sleeper.Pid)!.Threads.Count);
        _proc.ProcessStat(_sleeper.Pid, "f", 3);
        Assert.Equal(3, live.Collect(_sleeper.Pid)!.Threads.Count);

        // ... and a newcomer.
        _proc.Thread(_sleeper.Pid, 13, "later"u8, 1);
        _proc.Write($"{_sleeper.Pid}/task/13/stat", "nonsense"u8);
        _proc.ProcessStat(_sleeper.Pid, "f", 4);
        _sleeper.Run();
        Assert.Equal(3, live.Collect(_sleeper.Pid)!.Threads.Count);
        _proc.ThreadStat(_sleeper.Pid, 13, "later"u8, 0, 0);
        Assert.Equal(4, live.Collect(_sleeper.Pid)!.Threads.Count);
    }

    [Fact]
    public void It_never_misses_a_thread_that_used_a_bit_of_CPU()
    {
        using Workload workload = new();
        int[] tids = [.. Enumerable.Range(0, 6).Select(i => workload.Get($"steps storm-{i}"))];
        using LiveCollector live = new(new ExporterConfig { Filters = [LiveCollector.Pid(workload.Pid)] });
        int still = 0, compared = 0;
        for (int round = 0; round < 20; round++)
        {
            foreach (int tid in tids)
                workload.Do($"post {tid} storm 20");
            // Collected as fast as can be, until well after the storm: the last bit of a thread falls anywhere in a collection,
            // and nothing runs afterwards that would have it read after all.
            WatchedProcess process = null!;
            long begin = Stopwatch.GetTimestamp();
            for (long moved = begin; Stopwatch.GetElapsedTime(begin) < TimeSpan.FromMilliseconds(25) || Stopwatch.GetElapsedTime(moved) < TimeSpan.FromMilliseconds(10);)
            {
                Assert.True(Stopwatch.GetElapsedTime(begin) < TimeSpan.FromSeconds(10), "the workload never rests");
                long before = Clock(workload.Pid);
                process = live.Collect(workload.Pid)!;
                long[] kernel = [.. tids.Select(tid => Kernel.SchedStat(workload.Pid, tid).Cpu)];
                // Nothing ran meanwhile: what is shown is what the kernel says.
                if (before != Clock(workload.Pid))
                {
                    moved = Stopwatch.GetTimestamp();
                    continue;
                }
                still++;
                Assert.Equal(kernel, Shown(process, tids));
            }
            // The same by each thread's own clock. A thread that was held up may have run since; then it is not compared.
            long[] shown = Shown(process, tids);
            for (int i = 0; i < tids.Length; i++)
            {
                long clock = workload.Cpu(tids[i]);
                if (Kernel.SchedStat(workload.Pid, tids[i]).Cpu != shown[i])
                    continue;
                compared++;
                Assert.Equal(clock, shown[i]);
            }
        }
        Assert.True(still > 100 && compared > 60, $"{still} collections while nothing ran, {compared} clocks compared");

        static long Clock(int pid) => Clocks.TryGetProcessCpu(pid, out long cpu) ? cpu : -1;
        static long[] Shown(WatchedProcess process, int[] tids) => [.. tids.Select(tid => process.Threads.Single(t => t.Tid == tid).Cpu)];
    }

    private LiveCollector Live(TimeSpan refresh, TimeSpan rescan = default) => new(
        new ExporterConfig
        {
            Filters = [new FilterConfig { Name = "f", Comm = ["f"] }],
            Collector = new CollectorConfig { RescanInterval = rescan, RefreshInterval = refresh },
        }, _proc.Root, time: _clock);

    private WatchedThread Worker(LiveCollector live) => live.Collect(_sleeper.Pid)!.Threads.Single(t => t.Tid == 11);
}
