using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using ThreadExporter.Configuration;
using ThreadExporter.Model;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Collection;

/// <summary>
/// State and name in <see cref="ThreadExporter.Collection.ThreadReader"/>, which are not read again for idle threads: which changes are shown at
/// once, and which may be late.
/// </summary>
public class ThreadStateTests
{
    [Fact]
    public void Running_sleeping_blocked_and_running_again_are_shown_at_once()
    {
        using Workload workload = new();
        int tid = workload.Get("steps changing");
        // No refresh may be due in this test.
        using LiveCollector live = new(Config(workload, TimeSpan.FromHours(1)));
        foreach ((string command, char state) in ((string, char)[])[
            ($"post {tid} burn", 'R'), ($"do {tid} rest", 'S'), ($"post {tid} vfork", 'D'), ($"post {tid} burn", 'D'), ($"release {tid}", 'R'), ($"do {tid} rest", 'S')])
        {
            workload.Do(command);
            Eventually.True(() => Kernel.State(workload.Pid, tid) == state, $"the kernel shows {state} after `{command}`");
            Eventually.True(() => Collect(live, workload, tid).Reading.State == state, $"{state} is shown after `{command}`");
            if (state == 'R')
                continue;
            WatchedThread thread = Collect(live, workload, tid);
            Assert.Equal(Kernel.SchedStat(workload.Pid, tid), (thread.Cpu, thread.Reading.Counters.Wait, thread.Reading.Counters.Timeslices));
        }
    }

    [Fact]
    public void Stop_and_continue_are_shown()
    {
        using Workload workload = new();
        int burner = workload.Spawn("burner", "burn");
        int idler = workload.Spawn("idler", "idle");
        using LiveCollector live = new(Config(workload, TimeSpan.FromHours(1)));
        WatchedProcess process = live.Collect(workload.Pid)!;
        Signal("STOP", workload.Pid);
        try
        {
            Eventually.True(() => live.Collect(workload.Pid)!.Threads.TrueForAll(t => t.Reading.State == 'T'), "every thread is shown as stopped");
            long stopped = Thread(process, burner).Cpu;
            Assert.Equal(Kernel.SchedStat(workload.Pid, burner).Cpu, stopped);
            live.Collect(workload.Pid);
            Assert.Equal((stopped, (byte)'T'), (Thread(process, burner).Cpu, Thread(process, burner).Reading.State));
            Signal("CONT", workload.Pid);
            Eventually.True(() => Collect(live, workload, burner) is { Reading.State: (byte)'R' } t && t.Cpu > stopped + 20_000_000, "the burner goes on");
            Eventually.True(() => Collect(live, workload, idler).Reading.State == 'S', "the idler sleeps again");
            Assert.Same(process, live.Collect(workload.Pid));
        }
        finally
        {
            Signal("CONT", workload.Pid);
        }
    }

    [Fact]
    public void The_wait_of_a_thread_behind_a_real_time_thread_is_shown_when_the_wait_ends()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && Environment.ProcessorCount > 1, "needs root for SCHED_FIFO and a second CPU for everybody else");
        // "0-3,8": the real-time thread takes the last CPU; the test and the threads that it needs stay on the first.
        string[] cpus = File.ReadLines("/proc/self/status").Single(l => l.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal)).Split('\t')[1].Split(',', '-');
        int quiet = int.Parse(cpus[0], CultureInfo.InvariantCulture), hogged = int.Parse(cpus[^1], CultureInfo.InvariantCulture);
        Libc.OnCpu(quiet, () =>
        {
            using Workload workload = new();
            WakeBehindHog(workload, quiet, hogged);
        });
    }

    private static void WakeBehindHog(Workload workload, int quiet, int hogged)
    {
        int victim = workload.Get("steps victim");
        workload.Do($"pin {workload.Pid} {quiet}");
        workload.Do($"pin {victim} {hogged}");
        workload.Do($"do {victim} burst 100");
        using LiveCollector late = new(Config(workload, TimeSpan.FromHours(1)));
        using LiveCollector refreshed = new(Config(workload, TimeSpan.FromMilliseconds(1)));
        Eventually.True(() => Kernel.State(workload.Pid, victim) == 'S', "the victim sleeps");
        WatchedThread shown = Collect(late, workload, victim);
        (long cpu, long wait) = (shown.Cpu, shown.Reading.Counters.Wait);

        string hog = workload.Ask($"hog {hogged} 250");
        Assert.SkipWhen(hog == "denied", "the kernel refuses SCHED_FIFO even to root: a cgroup without real-time bandwidth");
        long asked = Stopwatch.GetTimestamp();
        workload.Do($"post {victim} burst 100");
        Eventually.True(() => Kernel.State(workload.Pid, victim) == 'R', "the victim is woken");
        long woken = Stopwatch.GetTimestamp();
        TimeSpan waited = TimeSpan.Zero;
        Eventually.True(() =>
        {
            shown = Collect(late, workload, victim);
            byte stateWhenRefreshed = Collect(refreshed, workload, victim).Reading.State;
            TimeSpan soFar = Stopwatch.GetElapsedTime(woken);
            if (Kernel.SchedStat(workload.Pid, victim).Cpu > cpu)
                return true;
            // It has not run: neither its CPU time nor its wait has changed, and its state is that of the last read until a refresh.
            waited = soFar;
            Assert.Equal((cpu, wait, 'S', 'R'), (shown.Cpu, shown.Reading.Counters.Wait, (char)shown.Reading.State, (char)stateWhenRefreshed));
            return false;
        }, "the hog ends and the victim runs");
        Eventually.True(() => Kernel.State(workload.Pid, victim) == 'S', "the victim sleeps again");
        shown = Collect(late, workload, victim);

        Assert.True(waited > TimeSpan.FromMilliseconds(50), $"the victim hardly waited: {waited.TotalMilliseconds} ms");
        Assert.InRange(shown.Reading.Counters.Wait - wait, waited.Ticks * 100, Stopwatch.GetElapsedTime(asked).Ticks * 100);
        Assert.InRange(shown.Cpu - cpu, 100_000, 50_000_000);
    }

    [Fact]
    public void A_thread_that_renames_itself_is_shown_with_the_new_name_at_once()
    {
        using Workload workload = new();
        int tid = workload.Get("steps before");
        using LiveCollector live = new(Config(workload, TimeSpan.FromHours(1)));
        Assert.Equal("before", Name(Collect(live, workload, tid)));
        for (int i = 0; i < 20; i++)
        {
            workload.Do($"do {tid} rename {Convert.ToHexString(Encoding.ASCII.GetBytes($"name {i}"))}");
            // Until it sleeps, the kernel may not have updated the run time that shows that it has run.
            Eventually.True(() => Kernel.State(workload.Pid, tid) == 'S', "it sleeps");
            Assert.Equal($"name {i}", Name(Collect(live, workload, tid)));
        }
    }

    [Fact]
    public void A_thread_renamed_by_another_is_shown_with_the_new_name_within_the_refresh_interval()
    {
        using Workload workload = new();
        int tid = workload.Spawn("before", "idle");
        TimeSpan refresh = TimeSpan.FromSeconds(5);
        FakeTimeProvider clock = FakeClock.Create();
        using LiveCollector live = new(Config(workload, refresh), time: clock);
        Eventually.True(() => Kernel.State(workload.Pid, tid) == 'S', "it sleeps");
        Collect(live, workload, tid);
        for (int i = 0; i < 2; i++)
        {
            long cpu = Kernel.SchedStat(workload.Pid, tid).Cpu;
            workload.Rename(tid, Encoding.ASCII.GetBytes($"name {i}"));
            TimeSpan passed = TimeSpan.Zero;
            for (; Name(Collect(live, workload, tid)) != $"name {i}"; passed += refresh / 20)
            {
                Assert.True(passed < refresh, "the new name was not shown within the interval");
                clock.Advance(refresh / 20);
            }
            // It did not run, so only the refresh has read the name.
            Assert.Equal(cpu, Kernel.SchedStat(workload.Pid, tid).Cpu);
            Assert.Contains($"tid=\"{tid}\",tname=\"name {i}\"}}", live.Render(), StringComparison.Ordinal);
        }
    }

    private static ExporterConfig Config(Workload workload, TimeSpan refresh) => new()
    {
        Filters = [LiveCollector.Pid(workload.Pid)],
        Collector = new CollectorConfig { RescanInterval = TimeSpan.Zero, RefreshInterval = refresh },
    };

    private static WatchedThread Collect(LiveCollector live, Workload workload, int tid) => Thread(live.Collect(workload.Pid)!, tid);

    private static WatchedThread Thread(WatchedProcess process, int tid) => process.Threads.Single(t => t.Tid == tid);

    private static string Name(WatchedThread thread) => Encoding.UTF8.GetString(thread.Reading.Name);

    private static void Signal(string name, int pid)
    {
        using Process kill = Process.Start("/bin/kill", [$"-{name}", $"{pid}"]);
        kill.WaitForExit();
    }
}
