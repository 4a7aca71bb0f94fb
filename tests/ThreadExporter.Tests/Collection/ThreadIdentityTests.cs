using System.Text;
using System.Text.RegularExpressions;
using ThreadExporter.Configuration;
using ThreadExporter.Model;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Collection;

/// <summary>
/// Identity in <see cref="ThreadExporter.Collection.ThreadReader"/> and <see cref="ThreadExporter.Collection.ProcessTable"/>: reused tids and pids,
/// exec by a worker thread, a leader that exits first.
/// </summary>
public class ThreadIdentityTests
{
    [Theory]
    [InlineData(10_000)]
    [InlineData(0)]
    public void A_reused_tid_is_another_thread(int maxDescriptors)
    {
        using Workload workload = Workload.InOwnPidNamespace();
        ExporterConfig config = LiveCollector.Config(LiveCollector.Pid(workload.Pid));
        using LiveCollector live = new(config with { Collector = config.Collector with { MaxDescriptors = maxDescriptors } }, workload.Procfs);
        (int tid, ulong start, WatchedThread before) = (0, 0, null!);
        Reuse(
            () =>
            {
                tid = workload.Spawn("first", "idle");
                before = live.Collect(workload.Pid)!.Threads.Single(t => t.Tid == tid);
                Assert.Equal("first", Text(before.Reading.Name));
                start = before.Reading.StartTicks;
                workload.Exit(tid);
                // By path only the start time distinguishes two threads, and it is in ticks.
                Thread.Sleep(20);
                return tid;
            },
            last => workload.Do($"lastpid {last}"),
            () => workload.Spawn("second", "20ms"));

        WatchedThread after = live.Collect(workload.Pid)!.Threads.Single(t => t.Tid == tid);
        if (maxDescriptors > 0)
            Assert.NotSame(before, after);
        Assert.True(after.Reading.StartTicks > start);
        Assert.Equal(Kernel.Start(workload.Pid, tid, workload.Procfs), after.Reading.StartTicks);
        Assert.Equal("second", Text(after.Reading.Name));
        Assert.Equal(maxDescriptors > 0, after.Descriptor >= 0);
    }

    [Fact]
    public void A_descriptor_of_an_exited_thread_never_reads_the_thread_that_reused_its_tid()
    {
        using Workload workload = Workload.InOwnPidNamespace();
        using LiveCollector live = new(LiveCollector.Config(LiveCollector.Pid(workload.Pid)), workload.Procfs);
        int tid = 0;
        long hot = 0;
        // Immediately, often within one tick: the start time is the same then, but the descriptor shows it.
        for (int i = 0; i < 10; i++)
        {
            Reuse(
                () =>
                {
                    tid = workload.Get("steps worn");
                    workload.Do($"do {tid} burst 3000");
                    Eventually.True(() => Kernel.State(workload.Pid, tid, workload.Procfs) == 'S', "it sleeps, and its time is booked");
                    hot = live.Collect(workload.Pid)!.Threads.Single(t => t.Tid == tid).Cpu;
                    Assert.True(hot >= 3_000_000);
                    workload.Exit(tid);
                    return tid;
                },
                last => workload.Do($"lastpid {last}"),
                () => workload.Spawn("fresh", "idle"));
            WatchedThread fresh = live.Collect(workload.Pid)!.Threads.Single(t => t.Tid == tid);
            Assert.Equal("fresh", Text(fresh.Reading.Name));
            Assert.True(fresh.Cpu < hot, "the fresh thread has the worn one's CPU time");
            workload.Exit(tid);
        }
    }

    [Fact]
    public void A_reused_pid_is_another_process()
    {
        using Workload workload = Workload.InOwnPidNamespace();
        using LiveCollector live = new(LiveCollector.Config(new FilterConfig { Name = "s", Comm = ["sleep"] }, new FilterConfig { Name = "t", Comm = ["tail"] }), workload.Procfs);
        int pid = 0;
        long start = 0;
        Reuse(
            () =>
            {
                pid = workload.Get("run sleep 60");
                Eventually.True(() => live.Collect(pid)?.Filter.Name == "s", "sleep is watched");
                start = live.Collect(pid)!.StartTime;
                workload.Do($"kill {pid}");
                Thread.Sleep(20);
                return pid;
            },
            last => workload.Do($"lastpid {last}"),
            () => workload.Get("run tail -f /dev/null"));
        Eventually.True(() => live.Collect(pid)?.Filter.Name == "t", "tail is watched under the same number");
        WatchedProcess process = live.Collect(pid)!;
        Assert.Equal("tail", Text(process.Name));
        Assert.True(process.StartTime > start);
        Assert.Equal("tail", Text(Assert.Single(process.Threads).Reading.Name));
        workload.Do($"kill {pid}");
    }

    [Theory]
    // With less CPU time than the leader, every value behind the leader's descriptor decreases; with more, they increase.
    [InlineData(0)]
    [InlineData(400)]
    public void Exec_by_a_worker_thread_gives_it_the_leaders_descriptor(int workerMilliseconds)
    {
        using Workload workload = new();
        int worker = workload.Get("steps worker");
        workload.Do($"do {worker} burst {workerMilliseconds * 1000}");
        using LiveCollector live = new(LiveCollector.Config(LiveCollector.Pid(workload.Pid)));
        WatchedProcess process = live.Collect(workload.Pid)!;
        WatchedThread leader = process.Threads.Single(t => t.Tid == workload.Pid);
        Assert.True(process.Threads.Count > 3);
        (long cpu, int descriptor, ulong start) = (leader.Cpu, leader.Descriptor, leader.Reading.StartTicks);
        long processCpu = process.Balance.Cpu;
        Assert.Equal(workerMilliseconds > 0, process.Threads.Single(t => t.Tid == worker).Cpu > cpu);

        workload.Do($"post {worker} exec /bin/sleep 60");
        Eventually.True(() => Kernel.Name(workload.Pid, workload.Pid) == "sleep" && Kernel.State(workload.Pid, workload.Pid) == 'S', "exec is done");
        Assert.Same(process, live.Collect(workload.Pid));

        WatchedThread only = Assert.Single(process.Threads);
        Assert.Equal((workload.Pid, descriptor, start), (only.Tid, only.Descriptor, only.Reading.StartTicks));
        Assert.Equal("sleep", Text(only.Reading.Name));
        Assert.Equal(Kernel.SchedStat(workload.Pid, workload.Pid), (only.Cpu, only.Reading.Counters.Wait, only.Reading.Counters.Timeslices));
        Assert.Equal(workerMilliseconds > 0, only.Cpu > cpu);
        // User and kernel time are the worker's, too; they are in ticks.
        Assert.InRange(only.Reading.Counters.User + only.Reading.Counters.Kernel, only.Cpu - 20_000_000, only.Cpu + 20_000_000);
        Assert.True(process.Balance.Cpu > processCpu);
        // The directory and the only thread; the descriptors of the other threads are closed.
        Assert.Equal((2, 2), (live.Collector.Descriptors, Kernel.OwnDescriptorsOn(workload.Pid)));
    }

    [Fact]
    public void A_process_is_watched_after_its_leader_has_exited()
    {
        using Workload workload = new();
        int hot = workload.Spawn("hot", "burn");
        using LiveCollector live = new(LiveCollector.Config(new FilterConfig { Name = "w", Comm = ["workload"], Cmdline = new Regex("workload$"), Pid = [workload.Pid] }));
        WatchedProcess process = live.Collect(workload.Pid)!;
        WatchedThread leader = process.Threads.Single(t => t.Tid == workload.Pid);
        workload.Do("leave");

        // The command line of the leader is empty now, it still counts in num_threads, and a new thread must be found.
        Assert.Same(process, live.Collect(workload.Pid));
        Assert.Equal(((byte)'Z', true), (leader.Reading.State, leader.Descriptor >= 0));
        Assert.Same(leader, process.Threads.Single(t => t.Tid == workload.Pid));
        (long last, long before, long processBefore) = (leader.Cpu, process.Threads.Single(t => t.Tid == hot).Cpu, process.Balance.Cpu);
        int late = workload.Spawn("late", "idle");
        Eventually.True(() => live.Collect(workload.Pid)!.Threads.Single(t => t.Tid == hot).Cpu > before + 50_000_000, "the hot thread continues");
        Assert.Equal("late", Text(process.Threads.Single(t => t.Tid == late).Reading.Name));
        Assert.Equal(last, leader.Cpu);
        Assert.True(process.Balance.Cpu >= processBefore + 50_000_000);
        Assert.Contains($"perfscale_process_threads_by_state{{daemon=\"workload\",pid=\"{workload.Pid}\",pname=\"workload\",state=\"Z\"}} 1\n", live.Render(), StringComparison.Ordinal);
        workload.Kill();
        Assert.Null(live.Collect(workload.Pid));
        Assert.Equal((0, 0), (live.Collector.Descriptors, Kernel.OwnDescriptorsOn(workload.Pid)));
    }

    /// <summary>Ends a thread or process and starts another with the same id. If a thread of a runtime takes the id first, it tries again.</summary>
    private static void Reuse(Func<int> startAndEnd, Action<int> nextAfter, Func<int> startAgain)
    {
        for (int attempt = 0; attempt < 500; attempt++)
        {
            int number = startAndEnd();
            nextAfter(number - 1);
            if (startAgain() == number)
                return;
        }
        Assert.Fail("the number was never given out again");
    }

    private static string Text(byte[] name) => Encoding.UTF8.GetString(name);
}
