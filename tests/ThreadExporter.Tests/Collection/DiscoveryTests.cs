using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using ThreadExporter.Configuration;
using ThreadExporter.Model;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Collection;

/// <summary>
/// <see cref="ThreadExporter.Collection.ProcessTable"/>: it reads again only what may have changed, and drops a process only when it has exited.
/// </summary>
public class DiscoveryTests
{
    [Fact]
    public void Between_rescans_only_new_pids_are_matched()
    {
        using FixtureProc proc = new();
        proc.Process(10, "f");
        proc.Thread(10, 10, "f"u8);
        proc.Process(20, "other");
        proc.Thread(20, 20, "other"u8);
        using LiveCollector live = new(Config(TimeSpan.FromHours(1), new FilterConfig { Name = "f", Comm = ["f"] }), proc.Root);
        Assert.Equal([10], Pids(live));
        // After a rescan, each of them would match the other filter.
        proc.ProcessStat(10, "other", 1);
        proc.ProcessStat(20, "f", 1);
        proc.Process(15, "f");
        proc.Thread(15, 15, "f"u8);
        Assert.Equal([10, 15], Pids(live));
        Directory.Delete(Path.Combine(proc.Root, "15"), recursive: true);
        Assert.Equal([10], Pids(live));
        // After a reload all processes are matched again.
        live.Use(Config(TimeSpan.FromHours(1), new FilterConfig { Name = "f", Comm = ["f"] }));
        Assert.Equal([20], Pids(live));
    }

    [Fact]
    public void A_real_process_is_watched_from_its_first_collection_until_it_exits_whatever_the_rescan_interval()
    {
        using LiveCollector live = new(Config(TimeSpan.FromHours(1), new FilterConfig { Name = "c", Comm = ["cat"] }));
        Assert.DoesNotContain(1, Pids(live));
        for (int i = 0; i < 5; i++)
        {
            int pid;
            using (Sleeper sleeper = new())
            {
                pid = sleeper.Pid;
                WatchedProcess process = live.Collect(pid)!;
                Assert.Equal((pid, pid), (process.Pid, Assert.Single(process.Threads).Tid));
                Assert.Equal(2, Kernel.OwnDescriptorsOn(pid));
            }
            Assert.Null(live.Collect(pid));
            Assert.Equal(0, Kernel.OwnDescriptorsOn(pid));
        }
    }

    [Fact]
    public void A_watched_process_that_cannot_be_read_for_a_moment_is_kept()
    {
        using FixtureProc proc = new();
        proc.Process(10, "f", threads: 2);
        proc.Thread(10, 10, "f"u8, 1_000);
        proc.Thread(10, 11, "worker"u8, 2_000);
        using LiveCollector live = new(Config(TimeSpan.Zero, new FilterConfig { Name = "f", Comm = ["f"] }), proc.Root);
        WatchedProcess process = live.Collect(10)!;
        WatchedThread[] threads = [.. process.Threads];
        string stat = Path.Combine(proc.Root, "10/stat");
        // EISDIR in place of EIO and similar errors.
        File.Move(stat, stat + ".away");
        Directory.CreateDirectory(stat);
        proc.SchedStat(10, 11, 3_000, 0, 1);
        for (int i = 0; i < 3; i++)
        {
            Assert.Same(process, live.Collect(10));
            Assert.Equal(threads, process.Threads);
            Assert.Equal(3_000, process.Threads[1].Cpu);
        }
        Assert.True(live.Collector.Errors.Other >= 3);
        Directory.Delete(stat);
        proc.Write("10/stat", "no stat at all"u8);
        Assert.Same(process, live.Collect(10));
        File.Delete(stat);
        File.Move(stat + ".away", stat);
        Assert.Same(process, live.Collect(10));
        // A process that has exited, or has another start time, is dropped.
        proc.ProcessStat(10, "f", 2, start: 777);
        WatchedProcess other = live.Collect(10)!;
        Assert.NotSame(process, other);
        Assert.Equal(777UL, other.StartTicks);
        Directory.Delete(Path.Combine(proc.Root, "10"), recursive: true);
        Assert.Null(live.Collect(10));
    }

    [Fact]
    public void A_process_that_gets_stuck_keeps_its_filter_and_its_daemon_name()
    {
        using FixtureProc proc = new();
        proc.Process(10, "ceph-osd", cmdline: "ceph-osd --id 7");
        proc.Thread(10, 10, "ceph-osd"u8, 1_000);
        using LiveCollector live = new(
            Config(TimeSpan.Zero, new FilterConfig { Name = "first", Cmdline = new Regex("--id 7") }, new FilterConfig { Name = "second", Comm = ["ceph-*"] }), proc.Root);
        WatchedProcess process = live.Collect(10)!;
        Assert.Equal(("first", "osd.7"), (process.Filter.Name, Encoding.UTF8.GetString(process.Daemon)));
        // Reading a FIFO blocks, as reading the file of a process that holds its mmap lock does.
        string cmdline = Path.Combine(proc.Root, "10/cmdline");
        File.Delete(cmdline);
        using (Process mkfifo = Process.Start("mkfifo", cmdline))
            mkfifo.WaitForExit();
        proc.SchedStat(10, 10, 2_000, 0, 1);
        for (int i = 0; i < 3; i++)
        {
            Assert.Same(process, live.Collect(10));
            Assert.Equal(("first", "osd.7", 2_000), (process.Filter.Name, Encoding.UTF8.GetString(process.Daemon), process.Threads[0].Cpu));
        }
        // A reload cannot wait for the command line, and a filter that no longer exists cannot select the process.
        live.Use(Config(TimeSpan.Zero, new FilterConfig { Name = "third", Comm = ["ceph-*"] }));
        Assert.Same(process, live.Collect(10));
        Assert.Equal("third", process.Filter.Name);
        live.Use(Config(TimeSpan.Zero, new FilterConfig { Name = "fourth", Cmdline = new Regex("--id 7") }));
        Assert.Null(live.Collect(10));
    }

    private static ExporterConfig Config(TimeSpan rescan, params FilterConfig[] filters) => new()
    {
        Filters = [.. filters],
        Collector = new CollectorConfig { RescanInterval = rescan },
    };

    private static int[] Pids(LiveCollector live)
    {
        live.Collector.Collect(live.Snapshot);
        return [.. live.Collector.Processes.Select(p => p.Pid)];
    }
}
