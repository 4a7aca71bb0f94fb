using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ThreadExporter.Configuration;
using ThreadExporter.Model;
using ThreadExporter.Procfs;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Collection;

/// <summary>
/// <see cref="ThreadExporter.Matching.ProcessInfo"/> of a process whose leader has exited (pthread_exit in main) while other threads run: filters
/// match by the files of another thread.
/// </summary>
public sealed class EndedLeaderTests
{
    private const string Container = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Fact]
    public void A_real_process_keeps_its_filter_whatever_the_filter_matches()
    {
        using Workload workload = new();
        workload.Spawn("hot", "burn");
        string exe = File.ResolveLinkTarget($"/proc/{workload.Pid}/exe", returnFinalTarget: false)!.FullName;
        // On cgroup v1 the leader's cgroup is `/` after its exit; on v2 it does not change.
        List<CgroupEntry> entries = [];
        Assert.True(ProcCgroup.TryParse(File.ReadAllBytes($"/proc/{workload.Pid}/cgroup"), entries));
        string[] cgroups = [.. entries.Select(e => e.Path).Where(p => p.Length > 1).DefaultIfEmpty("/")];
        Assert.True(ProcStatus.TryParse(File.ReadAllBytes($"/proc/{workload.Pid}/status"), out ProcStatus status));
        string user = status.EffectiveUid.ToString(CultureInfo.InvariantCulture);
        using LiveCollector live = new(LiveCollector.Config(
            new FilterConfig { Name = "all", Pid = [workload.Pid], Exe = [exe], Cgroup = [.. cgroups], User = [user], Cmdline = new Regex("workload$") }));
        WatchedProcess process = live.Collect(workload.Pid)!;
        long start = process.StartTime;
        workload.Do("leave");
        Assert.Equal('Z', Kernel.State(workload.Pid, workload.Pid));

        Assert.Same(process, live.Collect(workload.Pid));
        Assert.Equal(("workload", "workload", start), (Encoding.UTF8.GetString(process.Name), Encoding.UTF8.GetString(process.Daemon), process.StartTime));
        // A process that is first seen after the exit of its leader.
        using LiveCollector late = new(LiveCollector.Config(live.Snapshot.Config.Filters[0]));
        Assert.Equal(start, late.Collect(workload.Pid)!.StartTime, tolerance: 1_000_000_000);
        workload.Kill();
        Assert.Null(live.Collect(workload.Pid));
    }

    [Fact]
    public void The_files_of_a_live_thread_are_read()
    {
        using FixtureProc proc = new();
        Ended(proc);
        // A thread that has exited as well, but is still listed because it is traced.
        proc.Thread(10, 11, "traced"u8, state: 'Z');
        Facts(proc, 11, "/wrong", 1, "/");
        proc.Thread(10, 12, "worker"u8);
        Facts(proc, 12, "/usr/bin/srv", 990, $"/system.slice/srv.service/docker-{Container}.scope");
        using LiveCollector live = new(LiveCollector.Config(Filter()), proc.Root);
        WatchedProcess process = live.Collect(10)!;
        Assert.Equal(
            [("unit", $"docker-{Container}.scope"), ("container_id", Container)],
            process.CgroupLabels.Select(l => (l.Name, Encoding.UTF8.GetString(l.Value))));
        Assert.Equal("seven", Encoding.UTF8.GetString(process.Daemon));
        Assert.Equal(0, live.Collector.Errors.Gone);
    }

    [Fact]
    public void The_files_of_a_live_leader_are_read()
    {
        using FixtureProc proc = new();
        proc.Process(10, "srv", threads: 2, cmdline: "srv --id seven", cgroup: "1:name=systemd:/system.slice/srv.service\n");
        proc.Write("10/status", "Name:\tsrv\nUid:\t990\t990\t990\t990\n"u8);
        File.CreateSymbolicLink(Path.Combine(proc.Root, "10/exe"), "/usr/bin/srv");
        proc.Thread(10, 10, "srv"u8);
        proc.Thread(10, 12, "worker"u8);
        Facts(proc, 12, "/wrong", 1, "/");
        using LiveCollector live = new(LiveCollector.Config(Filter()), proc.Root);
        Assert.NotNull(live.Collect(10));
    }

    [Fact]
    public void When_all_threads_have_exited_the_files_of_the_leader_are_read()
    {
        using FixtureProc proc = new();
        Ended(proc);
        proc.Thread(10, 11, "traced"u8, state: 'Z');
        Facts(proc, 11, "/wrong", 1, "/");
        using LiveCollector live = new(LiveCollector.Config(new FilterConfig { Name = "root", User = ["0"] }), proc.Root);
        Assert.NotNull(live.Collect(10));
    }

    private static FilterConfig Filter() => new()
    {
        Name = "srv",
        Exe = ["/usr/bin/srv"],
        User = ["990"],
        Cgroup = ["/system.slice/srv.service*"],
        Cmdline = new Regex("--id (\\S+)"),
        Daemon = new Regex("--id (\\S+)"),
        Labels = ["unit", "container_id"],
    };

    private static void Ended(FixtureProc proc)
    {
        proc.Process(10, "srv", threads: 3, state: 'Z', cgroup: "1:name=systemd:/\n");
        proc.Write("10/cmdline", ""u8);
        proc.Thread(10, 10, "srv"u8, state: 'Z');
    }

    private static void Facts(FixtureProc proc, int tid, string exe, int uid, string cgroup)
    {
        File.CreateSymbolicLink(Path.Combine(proc.Root, $"10/task/{tid}/exe"), exe);
        proc.Write($"10/task/{tid}/status", Encoding.ASCII.GetBytes($"Name:\tx\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n"));
        proc.Write($"10/task/{tid}/cgroup", Encoding.ASCII.GetBytes($"1:name=systemd:{cgroup}\n"));
        proc.Write($"10/task/{tid}/cmdline", exe == "/wrong" ? ""u8 : "srv\0--id\0seven\0"u8);
    }
}
