using System.Globalization;
using ThreadExporter.Configuration;
using ThreadExporter.Model;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Collection;

/// <summary><see cref="ThreadExporter.Collection.ExtendedReader"/> on the real kernel, compared with the numbers of the kernel.</summary>
public class ExtendedTests
{
    private const ExtendedKinds All = ExtendedKinds.ContextSwitches | ExtendedKinds.Faults | ExtendedKinds.Io | ExtendedKinds.LastCpu;

    [Fact]
    public void Each_step_of_a_thread_is_shown_as_the_kernel_counts_it()
    {
        using Workload workload = new();
        int tid = workload.Get("steps worker");
        int idle = workload.Get("steps idle");
        using LiveCollector live = Live(workload.Pid, All);
        CollectAsleep(live, workload.Pid, idle);
        // On a disk if there is one: tmpfs has no I/O accounting.
        string file = $"/var/tmp/te-store-{workload.Pid}";
        (long Voluntary, long Involuntary, long Minor, long Major, long Read, long Written, long Cpu) first = default, before = default;
        try
        {
            foreach (string step in (string[])["rest", "touch 300", $"store {file} 64", "burst 3000", "rest", "touch 100"])
            {
                workload.Do($"do {tid} {step}");
                (long Voluntary, long Involuntary, long Minor, long Major, long Read, long Written, long Cpu) kernel = CollectAsleep(live, workload.Pid, tid);
                WatchedProcess process = live.Collector.Processes[0];
                Assert.Equal(kernel, Shown(process, tid));
                // The counters of other threads have not changed, which is right although they were not read.
                Assert.Equal(Kernel.Extras(workload.Pid, idle), Shown(process, idle));
                Assert.True(kernel.Voluntary > before.Voluntary, $"the thread slept after {step}");
                if (step.StartsWith("touch ", StringComparison.Ordinal))
                    Assert.InRange(kernel.Minor - before.Minor, int.Parse(step.Split(' ')[1], CultureInfo.InvariantCulture), 10_000);
                first = first == default ? kernel : first;
                before = kernel;
            }
            Assert.SkipUnless(before.Written > first.Written && before.Read > first.Read, "/var/tmp is on no storage that the kernel counts, so I/O was compared at 0 only");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Threads_that_share_a_CPU_have_involuntary_context_switches()
    {
        using Workload workload = new();
        int[] tids = [workload.Spawn("a", "burn"), workload.Spawn("b", "burn")];
        using LiveCollector live = Live(workload.Pid, ExtendedKinds.ContextSwitches);
        foreach (int tid in tids)
            workload.Do($"pin {tid} {AllowedCpus()[0]}");
        Eventually.True(() => tids.All(t => Kernel.Extras(workload.Pid, t).Involuntary >= 3), "they take turns");
        long[] before = [.. tids.Select(t => Kernel.Extras(workload.Pid, t).Involuntary)];
        WatchedProcess process = live.Collect(workload.Pid)!;
        long[] after = [.. tids.Select(t => Kernel.Extras(workload.Pid, t).Involuntary)];
        for (int i = 0; i < tids.Length; i++)
            Assert.InRange(Shown(process, tids[i]).Involuntary, before[i], after[i]);
        Assert.All(process.Threads, t => Assert.Equal((-1, -1, -1), (t.Counters[CounterKind.MinorFaults], t.Counters[CounterKind.ReadBytes], t.Reading.LastCpu)));
    }

    [Fact]
    public void The_last_CPU_is_the_one_that_the_thread_ran_on()
    {
        using Workload workload = new();
        int tid = workload.Get("steps wanderer");
        using LiveCollector live = Live(workload.Pid, ExtendedKinds.LastCpu);
        foreach (int cpu in AllowedCpus())
        {
            workload.Do($"pin {tid} {cpu}");
            workload.Do($"do {tid} burst 1000");
            CollectAsleep(live, workload.Pid, tid);
            Assert.Equal(cpu, Shown(live.Collector.Processes[0], tid).Cpu);
        }
    }

    [Theory]
    // With less CPU time than the leader the run time behind the descriptor decreases, with more it increases. The counters are always the
    // worker's.
    [InlineData(0)]
    [InlineData(400)]
    public void After_exec_by_a_worker_thread_the_counters_are_the_workers(int workerMilliseconds)
    {
        using Workload workload = new();
        int worker = workload.Get("steps worker");
        workload.Do($"do {worker} burst {workerMilliseconds * 1000}");
        using LiveCollector live = Live(workload.Pid, All);
        (long Voluntary, long Involuntary, long Minor, long Major, long Read, long Written, long Cpu) leader = Shown(live.Collect(workload.Pid)!, workload.Pid);
        workload.Do($"post {worker} exec /bin/sleep 60");
        Eventually.True(() => Kernel.Name(workload.Pid, workload.Pid) == "sleep" && Kernel.State(workload.Pid, workload.Pid) == 'S', "exec is done");
        (long Voluntary, long Involuntary, long Minor, long Major, long Read, long Written, long Cpu) kernel = CollectAsleep(live, workload.Pid, workload.Pid);
        Assert.Equal(kernel, Shown(live.Collector.Processes[0], workload.Pid));
        Assert.NotEqual(leader, kernel);
    }

    [Fact]
    public void Io_of_another_users_process_is_denied_and_all_other_counters_are_shown()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root to become another user");
        using Workload workload = new();
        int tid = workload.Spawn("worker", "20");
        using LiveCollector live = Live(workload.Pid, All);
        string text = "";
        Libc.AsNobody(() =>
        {
            live.Collect(workload.Pid);
            Eventually.True(() => live.Collect(workload.Pid)!.Threads.Single(t => t.Tid == tid).Reading.Counters[CounterKind.VoluntarySwitches] > 0
                && live.Collector.Errors.Denied > live.Collector.Threads, "it has run and was read again");
            text = live.Render();
        });
        Assert.Equal($"cannot read io of pid {workload.Pid}: requires the same user, or CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE; its threads have no perfscale_thread_io_* series",
            Assert.Single(live.Collector.TakeWarnings()));
        Assert.Equal((0, 0), (live.Collector.Errors.Malformed, live.Collector.Errors.Other));
        Support.ParsedScrape shown = Support.ParsedScrape.Parse(text);
        Assert.Empty(shown.Of("perfscale_thread_io_read_bytes_total").Concat(shown.Of("perfscale_thread_io_write_bytes_total")));
        Assert.True(shown.Value("perfscale_thread_voluntary_context_switches_total", ("tid", $"{tid}")) > 0);
        Assert.True(shown.Value("perfscale_thread_minor_faults_total", ("tid", $"{workload.Pid}")) > 0);
        Assert.Equal(live.Collector.Threads, shown.Of("perfscale_thread_last_cpu").Count());
    }

    private static LiveCollector Live(int pid, ExtendedKinds kinds)
    {
        ExporterConfig config = LiveCollector.Config(LiveCollector.Pid(pid));
        return new LiveCollector(config with { Collector = config.Collector with { Extended = kinds, RefreshInterval = TimeSpan.FromHours(1) } });
    }

    private static (long Voluntary, long Involuntary, long Minor, long Major, long Read, long Written, long Cpu) Shown(WatchedProcess process, int tid)
    {
        ThreadReading reading = process.Threads.Single(t => t.Tid == tid).Reading;
        ThreadCounters counters = reading.Counters;
        return (counters[CounterKind.VoluntarySwitches], counters[CounterKind.InvoluntarySwitches], counters[CounterKind.MinorFaults],
            counters[CounterKind.MajorFaults], counters[CounterKind.ReadBytes], counters[CounterKind.WriteBytes], reading.LastCpu);
    }

    /// <summary>A collection during which the thread slept, and the kernel's numbers at that time. A busy machine needs several attempts.</summary>
    private static (long Voluntary, long Involuntary, long Minor, long Major, long Read, long Written, long Cpu) CollectAsleep(LiveCollector live, int pid, int tid)
    {
        (long, long, long, long, long, long, long) before = default;
        Eventually.True(() =>
        {
            bool asleep = Kernel.State(pid, tid) == 'S';
            before = Kernel.Extras(pid, tid);
            Thread.Sleep(5);
            if (!asleep || Kernel.Extras(pid, tid) != before)
                return false;
            live.Collect(pid);
            return Kernel.Extras(pid, tid) == before;
        }, "the thread sleeps");
        return before;
    }

    /// <summary>The first and the last CPU that this process may use.</summary>
    private static int[] AllowedCpus()
    {
        string list = File.ReadLines("/proc/self/status").Single(l => l.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal)).Split('\t')[1];
        string[] numbers = list.Split('-', ',');
        return [int.Parse(numbers[0], CultureInfo.InvariantCulture), int.Parse(numbers[^1], CultureInfo.InvariantCulture)];
    }
}
