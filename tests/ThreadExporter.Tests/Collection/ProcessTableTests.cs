using System.Diagnostics;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using ThreadExporter.Collection;
using ThreadExporter.Configuration;
using ThreadExporter.Matching;
using ThreadExporter.Model;
using ThreadExporter.Procfs;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Collection;

/// <summary>
/// <see cref="ProcessTable"/>: which processes are watched as they start, exec, change their name and exit, and as pids are reused.
/// </summary>
public class ProcessTableTests
{
    [Fact]
    public void A_process_is_watched_from_the_next_collection_until_it_exits()
    {
        using LiveCollector live = new(LiveCollector.Config(new FilterConfig { Name = "w", Comm = ["workload"] }));
        live.Collector.Collect(live.Snapshot);
        using Workload workload = new();
        Assert.NotNull(live.Collect(workload.Pid));
        workload.Kill();
        Assert.Null(live.Collect(workload.Pid));
    }

    [Fact]
    public void Proc_is_listed_again_when_a_process_or_thread_has_started_or_ended()
    {
        using FixtureProc proc = new();
        proc.SharePidNamespace();
        proc.Process(5, "f");
        proc.Thread(5, 5, "f"u8);
        proc.Write("loadavg", "0.20 0.18 0.12 1/80 100\n"u8);
        FakeTimeProvider clock = FakeClock.Create();
        using LiveCollector live = new(LiveCollector.Config(new FilterConfig { Name = "f", Comm = ["f"] }), proc.Root, time: clock);
        int[] Listed()
        {
            live.Collector.Collect(live.Snapshot);
            return [.. live.Collector.Listed.Select(p => p.Pid).Order()];
        }
        Assert.Equal([5], Listed());
        proc.Process(6, "g");
        Assert.Equal([5], Listed());
        // Started.
        proc.Write("loadavg", "0.20 0.18 0.12 1/81 106\n"u8);
        Assert.Equal([5, 6], Listed());
        proc.Process(7, "g");
        Assert.Equal([5, 6], Listed());
        // Ended.
        proc.Write("loadavg", "0.20 0.18 0.12 1/80 106\n"u8);
        Assert.Equal([5, 6, 7], Listed());
        // In any case after a minute, and always while the file cannot be read.
        proc.Process(8, "g");
        Assert.Equal([5, 6, 7], Listed());
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal([5, 6, 7, 8], Listed());
        proc.Write("loadavg", ""u8);
        Listed();
        proc.Process(9, "g");
        Assert.Equal([5, 6, 7, 8, 9], Listed());
    }

    [Fact]
    public void A_process_is_found_under_its_new_name_after_exec()
    {
        using LiveCollector live = new(LiveCollector.Config(new FilterConfig { Name = "s", Comm = ["sleep"] }, new FilterConfig { Name = "b", Comm = ["bash"] }));
        using Process shell = Process.Start(new ProcessStartInfo("/bin/bash", ["-c", "read line; exec sleep 60"]) { RedirectStandardInput = true })!;
        try
        {
            Eventually.True(() => live.Collect(shell.Id)?.Filter.Name == "b", "the filter b has the process");
            shell.StandardInput.WriteLine();
            Eventually.True(() => live.Collect(shell.Id)?.Filter.Name == "s", "the filter s has the process");
            Assert.Equal("sleep", Encoding.UTF8.GetString(live.Collect(shell.Id)!.Name));
        }
        finally
        {
            shell.Kill();
            shell.WaitForExit();
        }
    }

    [Fact]
    public void A_rename_is_noticed_only_when_the_rescan_is_due()
    {
        using FixtureProc proc = new();
        proc.Process(10, "before");
        proc.Thread(10, 10, "before"u8);
        ExporterConfig config = new()
        {
            Filters = [new FilterConfig { Name = "f", Comm = ["after"] }],
            Collector = new CollectorConfig { RescanInterval = TimeSpan.FromSeconds(30) },
        };
        FakeTimeProvider clock = FakeClock.Create();
        using LiveCollector live = new(config, proc.Root, time: clock);
        Assert.Null(live.Collect(10));
        proc.ProcessStat(10, "after", 1);
        clock.Advance(TimeSpan.FromSeconds(29.9));
        Assert.Null(live.Collect(10));
        clock.Advance(TimeSpan.FromSeconds(0.1));
        Assert.NotNull(live.Collect(10));
    }

    [Fact]
    public void A_reused_pid_is_another_process_with_its_own_counters()
    {
        using FixtureProc proc = new();
        proc.Process(10, "f", start: 100);
        proc.Thread(10, 10, "f"u8, 500);
        using LiveCollector live = new(LiveCollector.Config(new FilterConfig { Name = "f", Comm = ["f"] }), proc.Root);
        long start = live.Collect(10)!.StartTime;
        Directory.Delete(Path.Combine(proc.Root, "10"), recursive: true);
        proc.Process(10, "f", start: 300);
        proc.Thread(10, 10, "f"u8, 7, start: 300);
        WatchedProcess process = live.Collect(10)!;
        Assert.Equal(7, process.Threads.Single().Cpu);
        Assert.Equal(start + 2_000_000_000, process.StartTime);
    }

    [Fact]
    public void Children_are_watched_even_after_their_parent_has_exited()
    {
        using LiveCollector live = new(LiveCollector.Config(new FilterConfig { Name = "tree", Cmdline = new("te-tree-root"), Children = true }));
        using Process root = Process.Start(new ProcessStartInfo("/bin/bash", ["-c", "sleep 61 & echo $!; read line", "te-tree-root"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        int child = int.Parse(root.StandardOutput.ReadLine()!, System.Globalization.CultureInfo.InvariantCulture);
        try
        {
            Eventually.True(() => live.Collect(child) is not null && live.Collect(root.Id) is not null, "parent and child are watched");
            root.StandardInput.WriteLine();
            root.WaitForExit();
            Assert.NotNull(live.Collect(child));
            Assert.Null(live.Collect(root.Id));
        }
        finally
        {
            Process.GetProcessById(child).Kill();
        }
    }

    [Fact]
    public void A_grandchild_is_found_whatever_the_order_of_pids()
    {
        using FixtureProc proc = new();
        // Pids wrap: the descendants have the lower ones.
        proc.Process(300, "root", ppid: 1);
        proc.Process(200, "child", ppid: 300);
        proc.Process(100, "grandchild", ppid: 200);
        // A cycle, which only a broken /proc can have, must not hang the scrape.
        proc.Process(400, "loop", ppid: 401);
        proc.Process(401, "loop", ppid: 400);
        foreach (int pid in (int[])[100, 200, 300, 400, 401])
            proc.Thread(pid, pid, "x"u8);
        using LiveCollector live = new(LiveCollector.Config(new FilterConfig { Name = "tree", Comm = ["root"], Children = true }), proc.Root);
        live.Collector.Collect(live.Snapshot);
        Assert.Equal([100, 200, 300], live.Collector.Processes.Select(p => p.Pid));
    }

    [Fact]
    public void A_reload_keeps_the_counters_and_descriptors_of_processes_that_both_configurations_watch()
    {
        using Workload workload = new();
        int tid = workload.Spawn("t", "burn");
        using LiveCollector live = new(LiveCollector.Config(LiveCollector.Pid(workload.Pid)));
        WatchedThread before = live.Collect(workload.Pid)!.Threads.Single(t => t.Tid == tid);
        live.Use(LiveCollector.Config(new FilterConfig { Name = "other filter", Comm = ["workload"] }));
        WatchedProcess process = live.Collect(workload.Pid)!;
        Assert.Same(before, process.Threads.Single(t => t.Tid == tid));
        Assert.Equal("other filter", process.Filter.Name);
        live.Use(LiveCollector.Config());
        Assert.Null(live.Collect(workload.Pid));
        Assert.Equal(0, live.Collector.Descriptors);
    }

    [Fact]
    public void Setting_the_wall_clock_changes_the_start_time_of_processes_found_later_only()
    {
        using FixtureProc proc = new();
        proc.Process(10, "f", start: 100);
        using ProcfsRoot root = ProcfsRoot.Open(proc.Root);
        long boot = 0;
        using ProcessTable table = new(root, new DescriptorBudget(1000), new CollectionDiagnostics(TimeProvider.System), bootTime: () => boot);
        Matcher matcher = Matcher.Compile([new FilterConfig { Name = "f", Comm = ["f"] }]);
        table.Update(matcher, now: 1, rescanInterval: 0);
        // The host booted in 1970, and then its clock was set.
        boot = 1_700_000_000_000_000_000;
        proc.Process(11, "f", start: 200);
        table.Update(matcher, now: 2, rescanInterval: 0);
        // Drift is not a step, so processes that started in the same tick have the same start time. A step backwards is one.
        boot += 900_000_000;
        proc.Process(12, "f", start: 200);
        table.Update(matcher, now: 3, rescanInterval: 0);
        boot -= 3_000_000_000;
        proc.Process(13, "f", start: 200);
        table.Update(matcher, now: 4, rescanInterval: 0);
        Assert.Equal(
            [1_000_000_000, 1_700_000_002_000_000_000, 1_700_000_002_000_000_000, 1_699_999_999_900_000_000],
            table.Watched.Select(p => p.StartTime));
    }

    [Fact]
    public void Kernel_threads_can_be_watched_and_kernel_workers_keep_one_name()
    {
        using FixtureProc proc = new();
        proc.Process(2, "kthreadd", ppid: 0, kernelThread: true);
        proc.Thread(2, 2, "kthreadd"u8);
        proc.Process(33, "kworker/0:1-events_freezable_power_", ppid: 2, kernelThread: true);
        proc.Thread(33, 33, "kworker/0:1-events_freezable_power_"u8, 1);
        using LiveCollector live = new(LiveCollector.Config(new FilterConfig { Name = "k", Comm = ["kworker/*power_"] }), proc.Root);
        live.Collector.Collect(live.Snapshot);
        Assert.Contains("{daemon=\"kworker/0:1\",ppid=\"33\",pname=\"kworker/0:1\",tid=\"33\",tname=\"kworker/0:1\"}", live.Render(), StringComparison.Ordinal);
    }

    [Fact]
    public void Pid_2_of_a_pid_namespace_and_its_children_are_ordinary_processes()
    {
        using FixtureProc proc = new();
        proc.Process(2, "ceph-osd", cmdline: "ceph-osd -i 2");
        proc.Thread(2, 2, "ceph-osd"u8);
        proc.Process(33, "ceph-osd", ppid: 2, cmdline: "ceph-osd -i 3");
        proc.Thread(33, 33, "ceph-osd"u8);
        proc.Process(34, "kworker/a-b", ppid: 2);
        proc.Thread(34, 34, "kworker/a-b"u8);
        using LiveCollector live = new(LiveCollector.Config(new FilterConfig { Name = "c", Comm = ["ceph-osd", "kworker*"] }), proc.Root);
        live.Collector.Collect(live.Snapshot);
        Assert.Equal(["osd.2", "osd.3", "kworker/a-b"], live.Collector.Processes.Select(p => Encoding.UTF8.GetString(p.Daemon)));
        Assert.DoesNotContain(live.Collector.Processes, p => p.IsKernelThread);
    }

    [Fact]
    public void A_kernel_thread_that_executes_a_program_is_no_longer_a_kernel_thread()
    {
        using FixtureProc proc = new();
        proc.Process(33, "kworker/u8:1-helper", ppid: 2, kernelThread: true);
        proc.Thread(33, 33, "kworker/u8:1-helper"u8);
        using LiveCollector live = new(LiveCollector.Config(LiveCollector.Pid(33)), proc.Root);
        Assert.True(live.Collect(33)!.IsKernelThread);
        proc.Process(33, "ceph-osd", ppid: 2, cmdline: "ceph-osd -i 3");
        WatchedProcess process = live.Collect(33)!;
        Assert.Equal((false, "osd.3"), (process.IsKernelThread, Encoding.UTF8.GetString(process.Daemon)));
    }

    [Fact]
    public void The_real_kernel_thread_daemon_is_found()
    {
        using LiveCollector live = new(LiveCollector.Config(new FilterConfig { Name = "k", Comm = ["kthreadd"] }));
        Assert.SkipUnless(File.Exists("/proc/2/comm") && File.ReadAllText("/proc/2/comm") == "kthreadd\n", "this pid namespace shows no kernel threads");
        Assert.NotNull(live.Collect(2));
    }

    [Fact]
    public async Task A_stuck_command_line_delays_nothing_but_its_own_name()
    {
        using FixtureProc proc = new();
        proc.Process(10, "ceph-osd", cmdline: "ceph-osd --id 7");
        proc.Thread(10, 10, "ceph-osd"u8);
        proc.Process(11, "ceph-osd", cmdline: "ceph-osd --id 8");
        proc.Thread(11, 11, "ceph-osd"u8);
        // A FIFO that is opened with O_NONBLOCK does not block on open; it replaces a file whose read blocks.
        File.Delete(Path.Combine(proc.Root, "10/cmdline"));
        using (Process mkfifo = Process.Start("mkfifo", Path.Combine(proc.Root, "10/cmdline")))
            await mkfifo.WaitForExitAsync(TestContext.Current.CancellationToken);
        using LiveCollector live = new(LiveCollector.Config(new FilterConfig { Name = "c", Comm = ["ceph-osd"] }), proc.Root);
        CancellationToken end = TestContext.Current.CancellationToken;
        // A collection that waits for the file never ends.
        await Task.Run(() => live.Collector.Collect(live.Snapshot), end).WaitAsync(TimeSpan.FromSeconds(20), end);
        Assert.Equal(["ceph-osd", "osd.8"], live.Collector.Processes.Select(p => Encoding.UTF8.GetString(p.Daemon)));
    }
}
