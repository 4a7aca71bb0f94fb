using System.Globalization;
using ThreadExporter.Linux;
using ThreadExporter.Linux.Tests;


namespace ThreadExporter.Procfs.Tests;

public class ProcfsRootTests
{
    private const string Stat = "10 (x) S 1\n";

    [Fact]
    public void The_real_one()
    {
        using ProcfsRoot root = ProcfsRoot.Open("/proc");
        Assert.Equal("/proc", root.Path);
        string[] nspid = File.ReadLines("/proc/self/status").Single(line => line.StartsWith("NSpid:", StringComparison.Ordinal)).Split('\t')[1..];
        Assert.Equal(nspid is [var only] && only == Environment.ProcessId.ToString(CultureInfo.InvariantCulture), root.SharesPidNamespace);
        Assert.Equal(File.ReadAllText("/proc/thread-self/schedstat") != "0 0 0\n", root.HasSchedInfo);
    }

    [Fact]
    public void A_tree_of_plain_files()
    {
        using ProcfsRoot root = ProcfsRoot.Open(Fixture.PathOf("proc"));
        List<int> pids = [1, 2, 3];
        Assert.Equal(ReadStatus.Ok, root.ReadPids(pids));
        Assert.Equal([10, 11, 4210], pids.Order());
        Assert.False(root.SharesPidNamespace);
        Assert.True(root.HasSchedInfo);
    }

    [Fact]
    public void After_dispose_nothing_is_read()
    {
        ProcfsRoot root = ProcfsRoot.Open(Fixture.PathOf("proc"));
        root.Dispose();
        root.Dispose();
        Assert.Equal(-1, root.Fd);
        Assert.Equal(ReadStatus.Other, root.ReadPids([]));
    }

    [Fact]
    public void A_missing_directory_is_one_line()
    {
        using TemporaryDirectory directory = new();
        AssertFails(directory.Path + "/missing", $"cannot open '{directory.Path}/missing' as /proc: No such file or directory");
        string file = directory.Write("file", "");
        AssertFails(file, $"cannot open '{file}' as /proc: Not a directory");
        AssertFails("", "cannot open '' as /proc: No such file or directory");
    }

    [Fact]
    public void A_directory_without_processes_is_not_a_procfs()
    {
        using TemporaryDirectory directory = new();
        string expected = $"'{directory.Path}' is not a procfs: it has no readable process";
        AssertFails(directory.Path, expected);
        directory.Write("uptime", "1.00 1.00\n");
        directory.Write("10/cmdline", "");
        directory.Write("11", "");
        AssertFails(directory.Path, expected);
        directory.Write("12/stat", Stat);
        ProcfsRoot.Open(directory.Path).Dispose();
    }

    [Theory]
    [InlineData("NSpid:\tSELF\n", true)]
    [InlineData("NSpid:\tSELF\t1\n", false)]
    [InlineData("NSpid:\t4210\tSELF\n", false)]
    [InlineData("NSpid:\t2147483647\n", false)]
    [InlineData("", false)]
    [InlineData("garbage", false)]
    public void The_pid_namespace_is_ours_when_self_has_our_pid(string nspid, bool shared)
    {
        using TemporaryDirectory directory = new();
        directory.Write("10/stat", Stat);
        string self = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        directory.Write("self/status", "Name:\tx\nUid:\t0\t0\t0\t0\n" + nspid.Replace("SELF", self, StringComparison.Ordinal));
        using ProcfsRoot root = ProcfsRoot.Open(directory.Path);
        Assert.Equal(shared, root.SharesPidNamespace);
    }

    [Fact]
    public void A_member_of_very_many_groups_finds_its_namespace()
    {
        using TemporaryDirectory directory = new();
        directory.Write("10/stat", Stat);
        string groups = string.Concat(Enumerable.Range(1_000_000, 5000).Select(g => g.ToString(CultureInfo.InvariantCulture) + " "));
        directory.Write("self/status", $"Uid:\t0\t0\t0\t0\nGroups:\t{groups}\nNSpid:\t{Environment.ProcessId}\n");
        using ProcfsRoot root = ProcfsRoot.Open(directory.Path);
        Assert.True(root.SharesPidNamespace);
    }

    [Theory]
    [InlineData("1 2 3\n", "0 0 0\n", true)]
    [InlineData("0 144063 1\n", "0 0 0\n", true)]
    [InlineData("0 0 0\n", "1 2 3\n", false)] // self has run, so zeros mean that the kernel does not count
    [InlineData(null, "1 2 3\n", true)]
    [InlineData(null, "0 0 0\n", false)]
    [InlineData(null, "garbage\n", false)]
    [InlineData("garbage\n", "1 2 3\n", true)]
    [InlineData(null, null, false)]
    public void Sched_info_exists_when_a_number_is_not_0(string? self, string? other, bool expected)
    {
        using TemporaryDirectory directory = new();
        directory.Write("10/stat", Stat);
        directory.Write("11/stat", Stat);
        if (self is not null)
            directory.Write("self/schedstat", self);
        if (other is not null)
            directory.Write("11/schedstat", other);
        using ProcfsRoot root = ProcfsRoot.Open(directory.Path);
        Assert.Equal(expected, root.HasSchedInfo);
    }

    [Fact]
    public void Auto_is_the_procfs_of_the_host_when_it_is_mounted()
    {
        using TemporaryDirectory host = new();
        Assert.Equal("/proc", ProcfsRoot.Detect("auto", host.Path + "/missing"));
        Assert.Equal("/proc", ProcfsRoot.Detect("auto", host.Path));
        host.Write("1/stat", Stat);
        Assert.Equal(host.Path, ProcfsRoot.Detect("auto", host.Path));
        File.Delete(host.Path + "/1/stat");
        host.Write("self/stat", Stat);
        Assert.Equal(host.Path, ProcfsRoot.Detect("auto", host.Path));
    }

    [Fact]
    public void A_path_is_used_unchanged()
    {
        Assert.Equal("/some/where", ProcfsRoot.Detect("/some/where"));
        Assert.Equal("/some/where", ProcfsRoot.Detect("/some/where", "/proc"));
        Assert.Equal(File.Exists("/host/proc/self/stat") || File.Exists("/host/proc/1/stat") ? "/host/proc" : "/proc", ProcfsRoot.Detect("auto"));
    }

    private static void AssertFails(string path, string message) =>
        Assert.Equal(message, Assert.Throws<IOException>(() => ProcfsRoot.Open(path)).Message);
}
