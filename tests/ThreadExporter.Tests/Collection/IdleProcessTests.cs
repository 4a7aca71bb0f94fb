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
/// The idle check of <see cref="ThreadExporter.Collection.ProcessReader"/> for a whole process: while the process clock does not move no
/// thread is read, and none that ran may be missed. The fixtures have the clock of a real process and files that the test writes, so that a
/// test can see what was not read.
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
    public void Threads_are_read_only_when_the_process_clock_has_moved()
    {
        using LiveCollector live = Live(TimeSpan.FromHours(1));
        // Enough collections for the threads to count as idle.
        for (int i = 0; i < 8; i++)
            Assert.Equal(20_000, Worker(live).Cpu);
        _proc.SchedStat(_sleeper.Pid, 11, 30_000, 7, 8);
        Assert.Equal(20_000, Worker(live).Cpu);
        _sleeper.Run();
        WatchedThread worker = Worker(live);
        Assert.Equal((30_000, 7, 8), (worker.Cpu, worker.Reading.Counters.Wait, worker.Reading.Counters.Timeslices));
    }

    [Fact]
    public void Threads_due_for_refresh_are_read_even_when_the_process_clock_has_not_moved()
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
    public void A_process_that_reused_the_pid_is_not_hidden_by_an_equal_clock()
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
    public void A_file_that_could_not_be_read_is_read_again_even_when_the_process_clock_has_not_moved()
    {
        using LiveCollector live = Live(TimeSpan.FromHours(1));
        Worker(live);
        _proc.Write($"{_sleeper.Pid}/task/11/schedstat", "nonsense"u8);
        _sleeper.Run();
        Assert.Equal(20_000, Worker(live).Cpu);
        Assert.Equal(1, live.Collector.Errors.Malformed);
        _proc.SchedStat(_sleeper.Pid, 11, 30_000, 7, 8);
        Assert.Equal(30_000, Worker(live).Cpu);

        // The same for the number of threads ...
        _proc.Thread(_sleeper.Pid, 12, "late"u8, 1);
        _proc.Write($"{_sleeper.Pid}/stat", "nonsense"u8);
        _sleeper.Run();
        Assert.Equal(2, live.Collect(_sleeper.Pid)!.Threads.Count);
        _proc.ProcessStat(_sleeper.Pid, "f", 3);
        Assert.Equal(3, live.Collect(_sleeper.Pid)!.Threads.Count);

        // ... and for a new thread.
        _proc.Thread(_sleeper.Pid, 13, "later"u8, 1);
        _proc.Write($"{_sleeper.Pid}/task/13/stat", "nonsense"u8);
        _proc.ProcessStat(_sleeper.Pid, "f", 4);
        _sleeper.Run();
        Assert.Equal(3, live.Collect(_sleeper.Pid)!.Threads.Count);
        _proc.ThreadStat(_sleeper.Pid, 13, "later"u8, 0, 0);
        Assert.Equal(4, live.Collect(_sleeper.Pid)!.Threads.Count);
    }

    [Fact]
    public void No_thread_that_used_a_little_CPU_is_missed()
    {
        using Workload workload = new();
        int[] tids = [.. Enumerable.Range(0, 6).Select(i => workload.Get($"steps storm-{i}"))];
        using LiveCollector live = new(new ExporterConfig { Filters = [LiveCollector.Pid(workload.Pid)] });
        int still = 0, compared = 0;
        for (int round = 0; round < 20; round++)
        {
            foreach (int tid in tids)
                workload.Do($"post {tid} storm 20");
            // Collections without a pause until well after the last burst: the last run of a thread falls anywhere in a collection, and
            // nothing runs afterwards that would cause the thread to be read.
            WatchedProcess process = null!;
            long begin = Stopwatch.GetTimestamp();
            for (long moved = begin; Stopwatch.GetElapsedTime(begin) < TimeSpan.FromMilliseconds(25) || Stopwatch.GetElapsedTime(moved) < TimeSpan.FromMilliseconds(10);)
            {
                Assert.True(Stopwatch.GetElapsedTime(begin) < TimeSpan.FromSeconds(10), "the workload never rests");
                long before = Clock(workload.Pid);
                process = live.Collect(workload.Pid)!;
                long[] kernel = [.. tids.Select(tid => Kernel.SchedStat(workload.Pid, tid).Cpu)];
                // Nothing ran in the meantime, so the shown values are the kernel's.
                if (before != Clock(workload.Pid))
                {
                    moved = Stopwatch.GetTimestamp();
                    continue;
                }
                still++;
                Assert.Equal(kernel, Shown(process, tids));
            }
            // The same by the clock of each thread. A thread that was delayed may have run since; then it is not compared.
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

    [Fact]
    public void A_burst_is_found_at_once_although_another_thread_runs_all_the_time()
    {
        using Workload workload = new();
        int[] tids = [.. Enumerable.Range(0, 20).Select(i => workload.Get($"steps s-{i}"))];
        workload.Do($"post {tids[0]} burst 60000000");
        using LiveCollector live = new(new ExporterConfig { Filters = [LiveCollector.Pid(workload.Pid)] });
        for (int i = 0; i < 10; i++)
            live.Collect(workload.Pid);
        foreach (int tid in tids[1..5])
        {
            workload.Do($"do {tid} burst 300000");
            // More than the busy thread runs during a collection, even of a delayed one.
            Assert.InRange(live.Collect(workload.Pid)!.Threads.Single(t => t.Tid == tid).Cpu, 300_000_000, long.MaxValue);
        }
    }

    private LiveCollector Live(TimeSpan refresh, TimeSpan rescan = default) => new(
        new ExporterConfig
        {
            Filters = [new FilterConfig { Name = "f", Comm = ["f"] }],
            Collector = new CollectorConfig { RescanInterval = rescan, RefreshInterval = refresh },
        }, _proc.Root, time: _clock);

    private WatchedThread Worker(LiveCollector live) => live.Collect(_sleeper.Pid)!.Threads.Single(t => t.Tid == 11);
}
