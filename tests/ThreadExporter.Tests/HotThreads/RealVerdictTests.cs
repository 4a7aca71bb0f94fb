using System.Diagnostics;
using ThreadExporter.Cgroups;
using ThreadExporter.Configuration;
using ThreadExporter.HotThreads;
using ThreadExporter.Linux;
using ThreadExporter.Procfs;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.HotThreads;

/// <summary>Real threads that are busy, throttled, starved, blocked and idle: each has the right verdict within five seconds.</summary>
public sealed class RealVerdictTests(ITestOutputHelper output) : IDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(5);

    private readonly ProcfsRoot _root = ProcfsRoot.Open("/proc");
    private readonly List<Process> _spinners = [];
    private LiveCollector? _live;

    public void Dispose()
    {
        foreach (Process spinner in _spinners)
        {
            spinner.Kill();
            spinner.WaitForExit();
            spinner.Dispose();
        }
        _live?.Dispose();
        _root.Dispose();
    }

    [SlowFact]
    public void A_thread_that_uses_a_core_is_busy()
    {
        int pid = Spin("watched", first: true);
        HotThreadRow row = WaitFor(pid, pid, Verdict.Busy);
        Assert.Matches("^it used (9[0-9]|100) % of a core", row.Reason);
    }

    [SlowFact]
    public void A_thread_whose_cgroup_has_used_up_its_limit_is_throttled()
    {
        using QuotaCgroups cgroups = QuotaCgroups.CreateVersion1();
        cgroups.Limit(0.2);
        int pid = cgroups.Start();
        HotThreadRow row = WaitFor(pid, pid, Verdict.Throttled);
        Assert.Matches(@"^its limit is 0\.2 cores, throttled in [0-9]+ % of periods$", row.Reason);
    }

    [SlowFact]
    public void The_limit_may_be_that_of_a_cgroup_above()
    {
        using QuotaCgroups cgroups = QuotaCgroups.CreateVersion1();
        cgroups.Limit(0.2);
        cgroups.Make("below");
        int pid = cgroups.Start("below");
        HotThreadRow row = WaitFor(pid, pid, Verdict.Throttled);
        Assert.StartsWith($"the limit of {cgroups.Path} is 0.2 cores", row.Reason);
    }

    [SlowFact]
    public void A_thread_that_waits_for_cpus_that_others_have_is_starved()
    {
        for (int i = 0; i < 3 * Environment.ProcessorCount; i++)
            Spin("spinner");
        int pid = Spin("watched");
        HotThreadRow row = WaitFor(pid, pid, Verdict.Starved);
        Assert.Matches(@"^others use the CPUs \(.*sh [0-9]+ %", row.Reason);
        HotHost host = _hot.Current.Host!;
        Assert.Equal(Environment.ProcessorCount, host.Cpus);
        Assert.Contains(host.Neighbours, n => n.Name == "sh");
        Assert.DoesNotContain(host.Neighbours, n => n.Pid == pid);
        Assert.True(host.Watched > 0);
    }

    [SlowFact]
    public void A_starved_thread_that_is_pinned_says_so()
    {
        Assert.SkipUnless(Environment.ProcessorCount > 1, "needs two CPUs");
        Assert.SkipUnless(File.Exists("/usr/bin/taskset"), "needs taskset(1)");
        for (int i = 0; i < 3; i++)
            Spin("spinner", cpu: 0);
        int pid = Spin("watched", cpu: 0);
        Assert.Equal("pinned to CPU 0", WaitFor(pid, pid, Verdict.Starved).Reason);
    }

    [SlowFact]
    public void A_thread_in_uninterruptible_sleep_is_blocked_and_listed()
    {
        using Workload workload = new();
        int tid = workload.Get("steps blocked");
        workload.Do($"post {tid} vfork");
        try
        {
            HotThreadRow row = WaitFor(workload.Pid, tid, Verdict.Blocked);
            Assert.StartsWith("in uninterruptible sleep (D) at ", row.Reason);
            Assert.InRange(row.Cpu, 0, 100 * Rig.Ms);
        }
        finally
        {
            workload.Do($"release {tid}");
        }
    }

    [SlowFact]
    public void A_thread_that_has_run_is_idle_when_it_sleeps()
    {
        using Workload workload = new();
        int tid = workload.Get("steps sleeper");
        Start(workload.Pid);
        Follow(TimeSpan.FromSeconds(1.5), () => false);
        workload.Do($"do {tid} burst 30000");
        // Running, or starved on a busy machine.
        Assert.True(Follow(Bound, () => Row(workload.Pid, tid) is { Verdict: not Verdict.Idle }), Seen(workload.Pid));
        // The window has five snapshots.
        Assert.True(Follow(Bound + TimeSpan.FromSeconds(3), () => Row(workload.Pid, tid)?.Verdict == Verdict.Idle), Seen(workload.Pid));
        Assert.Equal("", Row(workload.Pid, tid)!.Reason);
    }

    [SlowFact]
    public void Neighbours_can_be_switched_off()
    {
        using Workload workload = new();
        workload.Spawn("some", "10");
        Start(workload.Pid, c => c with { Neighbours = false });
        Assert.True(Follow(Bound, () => _hot.Current.Hottest.Length > 0));
        Assert.Null(_hot.Current.Host);
    }

    private HotThreadTracker _hot = null!;

    private HotThreadRow WaitFor(int pid, int tid, Verdict expected)
    {
        Start(pid);
        long start = Stopwatch.GetTimestamp();
        bool found = Follow(Bound, () => Row(pid, tid)?.Verdict == expected);
        HotThreadRow? row = Row(pid, tid);
        output.WriteLine($"{row?.Verdict.ToString() ?? "no row"} after {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s: {row?.Reason}");
        Assert.True(found, $"expected {expected}: {Seen(pid)}");
        return row!;
    }

    private void Start(int pid, Func<CollectorConfig, CollectorConfig>? change = null)
    {
        ExporterConfig config = LiveCollector.Config(LiveCollector.Pid(pid));
        _live = new LiveCollector(config with { Collector = change?.Invoke(config.Collector) ?? config.Collector }, cgroups: CgroupfsRoot.Open("auto", out _));
        _live.Collector.Collect(_live.Snapshot);
        _hot = new HotThreadTracker(_root, _live.Collector);
    }

    /// <summary>Takes snapshots as the daemon does, until the condition holds or the time is over.</summary>
    private bool Follow(TimeSpan time, Func<bool> condition)
    {
        long end = Clocks.MonotonicNanoseconds() + (long)time.TotalMilliseconds * Rig.Ms;
        while (Clocks.MonotonicNanoseconds() < end)
        {
            long now = Clocks.MonotonicNanoseconds();
            _hot.KeepAlive(200, now);
            long next = _hot.Tick(_live!.Snapshot, now);
            if (condition())
                return true;
            Clocks.SleepUntil(Math.Min(next, end));
        }
        return condition();
    }

    private HotThreadRow? Row(int pid, int tid) => _hot.Current.Hottest.FirstOrDefault(r => r.Process.Pid == pid && r.Tid == tid);

    private string Seen(int pid) =>
        string.Join("; ", _hot.Current.Hottest.Where(r => r.Process.Pid == pid).Select(r => $"{r.Name} {r.State} cpu {r.Cpu} wait {r.Wait}: {r.Verdict} {r.Reason}"));

    /// <param name="name">For a person who looks for it.</param>
    /// <param name="cpu">The only CPU that it may use; null: any.</param>
    /// <param name="first">It goes first before all others, which only root may ask for: other tests would keep it from the CPU.</param>
    private int Spin(string name, int? cpu = null, bool first = false)
    {
        string[] command = ["/bin/sh", "-c", "while :; do :; done", name];
        if (cpu is { } number)
            command = ["/usr/bin/taskset", "-c", $"{number}", .. command];
        if (first && Environment.IsPrivilegedProcess)
            command = ["/usr/bin/nice", "-n", "-20", .. command];
        ProcessStartInfo start = new(command[0], command[1..]);
        _spinners.Add(Process.Start(start)!);
        return _spinners[^1].Id;
    }
}
