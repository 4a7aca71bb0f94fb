using System.Text;
using System.Text.RegularExpressions;
using ThreadExporter.Configuration;
using ThreadExporter.Model;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Collection;

/// <summary>Who a number stands for: reuse of tids and pids, exec by a thread that does not lead, a leader that ended first.</summary>
public class ThreadIdentityTests
{
    [Theory]
    [InlineData(10_000)]
    [InlineData(0)]
    public void A_tid_given_out_again_is_another_thread(int maxDescriptors)
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
                // By path nothing but the start time tells two threads apart, and that counts in ticks.
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
    public void A_descriptor_of_a_dead_thread_never_answers_for_the_one_that_took_its_tid()
    {
        using Workload workload = Workload.InOwnPidNamespace();
        using LiveCollector live = new(LiveCollector.Config(LiveCollector.Pid(workload.Pid)), workload.Procfs);
        int tid = 0;
        long hot = 0;
        // At once, often within one tick: the start time cannot tell here, the descriptor can.
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
    public void A_pid_given_out_again_is_another_process()
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
    // Colder than the leader: on the leader's descriptor every value falls. Hotter: they rise.
    [InlineData(0)]
    [InlineData(400)]
    public void Exec_by_a_worker_thread_hands_it_the_leaders_descriptor(int workerMilliseconds)
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
        // User and kernel time are the worker's, too, in ticks.
        Assert.InRange(only.Reading.Counters.User + only.Reading.Counters.Kernel, only.Cpu - 20_000_000, only.Cpu + 20_000_000);
        Assert.True(process.Balance.Cpu > processCpu);
        // Its directory and its one thread: what the others had is closed.
        Assert.Equal((2, 2), (live.Collector.Descriptors, Kernel.OwnDescriptorsOn(workload.Pid)));
    }

    [Fact]
    public void A_process_lives_on_after_its_leading_thread_ended()
    {
        using Workload workload = new();
        int hot = workload.Spawn("hot", "burn");
        using LiveCollector live = new(LiveCollector.Config(new FilterConfig { Name = "w", Comm = ["workload"], Cmdline = new Regex("workload$"), Pid = [workload.Pid] }));
        WatchedProcess process = live.Collect(workload.Pid)!;
        WatchedThread leader = process.Threads.Single(t => t.Tid == workload.Pid);
        workload.Do("leave");

        // Its command line reads empty now, it is still counted in num_threads, and a newcomer must be found all the same.
        Assert.Same(process, live.Collect(workload.Pid));
        Assert.Equal(((byte)'Z', true), (leader.Reading.State, leader.Descriptor >= 0));
        Assert.Same(leader, process.Threads.Single(t => t.Tid == workload.Pid));
        (long last, long before, long processBefore) = (leader.Cpu, process.Threads.Single(t => t.Tid == hot).Cpu, process.Balance.Cpu);
        int late = workload.Spawn("late", "idle");
        Eventually.True(() => live.Collect(workload.Pid)!.Threads.Single(t => t.Tid == hot).Cpu > before + 50_000_000, "the hot thread goes on");
        Assert.Equal("late", Text(process.Threads.Single(t => t.Tid == late).Reading.Name));
        Assert.Equal(last, leader.Cpu);
        Assert.True(process.Balance.Cpu >= processBefore + 50_000_000);
        Assert.Contains($"perfscale_process_threads_by_state{{daemon=\"workload\",pid=\"{workload.Pid}\",pname=\"workload\",state=\"Z\"}} 1\n", live.Render(), StringComparison.Ordinal);
        workload.Kill();
        Assert.Null(live.Collect(workload.Pid));
        Assert.Equal((0, 0), (live.Collector.Descriptors, Kernel.OwnDescriptorsOn(workload.Pid)));
    }

    /// <summary>Ends something and starts another under the same number. A runtime's thread may take the number in between: then again.</summary>
    private static void Reuse(Func<int> startAndEnd, Action<int> nextAfter, Func<int> startAgain)
    {
        for (int attempt = 0; attempt < 20; attempt++)
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
