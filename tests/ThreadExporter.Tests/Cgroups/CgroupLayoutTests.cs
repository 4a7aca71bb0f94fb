using System.Globalization;
using System.Text;
using ThreadExporter.Cgroups;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Cgroups;

/// <summary><see cref="CgroupfsRoot"/> and <see cref="CgroupMount"/>: each layout of the hierarchies, and paths in cgroup namespaces.</summary>
public sealed class CgroupLayoutTests : IDisposable
{
    private const string V1 = "9:name=systemd:/a/b\n4:memory:/elsewhere\n";

    private readonly FixtureCgroups _cgroups = new();

    public void Dispose() => _cgroups.Dispose();

    [Fact]
    public void Version_2()
    {
        _cgroups.MountVersion2();
        _cgroups.Version2("a/b", usage: 7_000_000, periods: 10, throttledPeriods: 3, throttled: 500_000, max: "150000 100000", pressure: 250_000);
        Assert.Equal(("/a/b", 7, 0.5, 10, 3, 0.25, 1.5), Read("0::/a/b\n"));
    }

    [Fact]
    public void Version_2_without_the_controller_and_without_pressure()
    {
        _cgroups.MountVersion2();
        _cgroups.Version2("a", usage: 1_000_000);
        Assert.Equal(("/a", 1, -1, -1, -1, -1, -1), Read("0::/a\n"));
    }

    [Fact]
    public void Version_1_with_a_hierarchy_for_each_controller()
    {
        _cgroups.MountVersion1("cpu");
        _cgroups.MountVersion1("cpuacct", device: "0:30");
        _cgroups.Version1("cpu/a/b", periods: 10, throttledPeriods: 3, throttled: 500_000_000, quota: 20_000);
        _cgroups.Usage("cpuacct/a/b", 7_000_000_000);
        Assert.Equal(("/a/b", 7, 0.5, 10, 3, -1, 0.2), Read(V1 + "2:cpuacct:/a/b\n1:cpu:/a/b\n"));
    }

    [Fact]
    public void Version_1_of_a_process_in_different_cgroups_has_no_CPU_time()
    {
        _cgroups.MountVersion1("cpu");
        _cgroups.MountVersion1("cpuacct", device: "0:30");
        _cgroups.Version1("cpu/a");
        _cgroups.Usage("cpuacct/a", 7_000_000_000);
        _cgroups.Usage("cpuacct/b", 8_000_000_000);
        Assert.Equal(("/a", -1, 0, 0, 0, -1, -1), Read(V1 + "2:cpuacct:/b\n1:cpu:/a\n"));
    }

    [Theory]
    [InlineData("cpu,cpuacct", true)]
    [InlineData("cpu,cpuacct", false)]
    [InlineData("cpuacct,cpu", false)]
    public void Version_1_with_one_hierarchy_for_both(string directory, bool hasLinks)
    {
        _cgroups.MountVersion1(directory);
        if (hasLinks)
        {
            foreach (string name in directory.Split(','))
                Directory.CreateSymbolicLink(Path.Combine(_cgroups.Root, name), directory);
        }
        _cgroups.Version1(directory + "/a/b", periods: 10, throttledPeriods: 3, throttled: 500_000_000, quota: 250_000);
        _cgroups.Usage(directory + "/a/b", 7_000_000_000);
        Assert.Equal(("/a/b", 7, 0.5, 10, 3, -1, 2.5), Read(V1 + $"2:{directory}:/a/b\n"));
    }

    [Fact]
    public void Hybrid_with_the_controller_in_version_1()
    {
        _cgroups.MountVersion1("cpu,cpuacct");
        _cgroups.MountVersion2("unified");
        _cgroups.Version1("cpu,cpuacct/a", periods: 1, quota: 100_000);
        _cgroups.Usage("cpu,cpuacct/a", 3_000_000_000);
        _cgroups.Version2("unified/b", usage: 99);
        Assert.Equal(("/a", 3, 0, 1, 0, -1, 1), Read("4:cpu,cpuacct:/a\n0::/b\n"));
    }

    [Fact]
    public void Hybrid_with_the_controller_in_version_2()
    {
        _cgroups.MountVersion1("memory");
        _cgroups.MountVersion2("unified");
        _cgroups.Version2("unified/b", usage: 2_000_000);
        Assert.Equal(("/b", 2, -1, -1, -1, -1, -1), Read("4:memory:/a\n0::/b\n"));
    }

    [Fact]
    public void The_root_cgroup_itself()
    {
        _cgroups.MountVersion2();
        _cgroups.Version2("", usage: 5_000_000);
        Assert.Equal(("/", 5, -1, -1, -1, -1, -1), Read("0::/\n"));
    }

    /// <summary>The exporter's container is <c>kube/pod1/own</c>, and the mount shows all of the host.</summary>
    [Theory]
    [InlineData("0::/\n", "/kube/pod1/own")]
    [InlineData("0::/child\n", "/kube/pod1/own/child")]
    [InlineData("0::/../sidecar\n", "/kube/pod1/sidecar")]
    [InlineData("0::/../../pod2/other\n", "/kube/pod2/other")]
    [InlineData("0::/../../../system.slice/x.service\n", "/system.slice/x.service")]
    [InlineData("0::/../../..\n", "/")]
    public void In_a_cgroup_namespace_its_own_cgroup_is_found_by_its_inode(string text, string path)
    {
        foreach (string cgroup in (string[])["", "kube/pod1/own/child", "kube/pod1/sidecar", "kube/pod2/other", "system.slice/x.service", "kube/pod2/own"])
            _cgroups.Version2("host/" + cgroup, usage: 1_000_000);
        _cgroups.Version2("host/kube/pod1/own", usage: 1_000_000);
        _cgroups.MountVersion2("host", shows: "/../../..");
        // A directory has one inode wherever it is seen; the namespace's mount is the same directory here.
        _cgroups.Mount("host/kube/pod1/own", "cgroup2", "0:26", "/");
        CgroupfsRoot? root = _cgroups.TryOpen(Path.Combine(_cgroups.Root, "host"), out string notice);
        Assert.True(root is not null, notice);
        Assert.DoesNotContain("without", notice, StringComparison.Ordinal);
        Assert.Equal(path, Resolve(root, text)?.Path);
    }

    [Theory]
    [InlineData("0::/\n", null)]
    [InlineData("0::/../sidecar\n", null)]
    [InlineData("0::/../../other/x\n", "/other/x")]
    [InlineData("0::/../../../x\n", null)]
    public void When_its_own_cgroup_is_not_found_only_those_outside_of_it_are(string text, string? path)
    {
        _cgroups.Version2("other/x", usage: 1);
        _cgroups.MountVersion2(shows: "/../..");
        CgroupfsRoot? root = _cgroups.TryOpen("auto", out string notice);
        Assert.True(root is not null, notice);
        Assert.EndsWith(", without those near this process's own cgroup, which was not found there", notice, StringComparison.Ordinal);
        Assert.Equal(path, Resolve(root, text)?.Path);
    }

    [Theory]
    [InlineData("0::/docker/1\n", "/docker/1")]
    [InlineData("0::/docker/1/x\n", "/docker/1/x")]
    [InlineData("0::/docker/10\n", null)]
    [InlineData("0::/docker\n", null)]
    public void A_mount_that_shows_a_part_of_the_hierarchy(string text, string? path)
    {
        _cgroups.Version2("x", usage: 1);
        _cgroups.MountVersion2(shows: "/docker/1");
        CgroupNode? node = Resolve(_cgroups.Open(), text);
        Assert.Equal(path, node?.Path);
        if (path == "/docker/1/x")
            Assert.Equal(Path.Combine(_cgroups.Root, "x"), node!.Directory);
    }

    [Theory]
    [InlineData("0::/../kube/x\n", "/kube/x")]
    [InlineData("0::/../other/x\n", null)]
    [InlineData("0::/x\n", null)]
    public void A_part_of_the_hierarchy_beside_its_own_cgroup(string text, string? path)
    {
        _cgroups.MountVersion2(shows: "/../kube");
        CgroupNode? node = Resolve(_cgroups.TryOpen("auto", out _)!, text);
        Assert.Equal(path, node?.Path);
        if (node is not null)
            Assert.Equal(Path.Combine(_cgroups.Root, "x"), node.Directory);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0::/..\n")]
    [InlineData("0::/a/../b\n")]
    [InlineData("0::/a/./b\n")]
    [InlineData("0::/a//b\n")]
    [InlineData("0::/a/\n")]
    [InlineData("1:cpu:/a\n")]
    [InlineData("0::/a")]
    public void A_path_that_cannot_be_one_is_not_resolved(string text)
    {
        _cgroups.MountVersion2();
        Assert.Null(Resolve(_cgroups.Open(), text));
    }

    [Fact]
    public void A_mount_point_with_a_space_is_found()
    {
        _cgroups.Version2("a b/x", usage: 1);
        _cgroups.MountVersion2("a b", shows: "/shown");
        CgroupfsRoot? root = _cgroups.TryOpen(Path.Combine(_cgroups.Root, "a b"), out string notice);
        Assert.True(root is not null, notice);
        Assert.Equal("/shown/x", Resolve(root, "0::/shown/x\n")?.Path);
    }

    [Fact]
    public void Off_missing_and_empty_are_one_line()
    {
        Assert.Null(_cgroups.TryOpen("off", out string notice));
        Assert.Equal("Cgroup series: off (collector.cgroupfs)", notice);
        Assert.Null(_cgroups.TryOpen("/no/such/directory", out notice));
        Assert.Equal("Cgroup series are not available: /no/such/directory: no such directory", notice);
        Assert.Null(_cgroups.TryOpen("auto", out notice));
        Assert.Equal($"Cgroup series are not available: {_cgroups.Root}: no hierarchy with the cpu controller is mounted there", notice);
    }

    [Fact]
    public void Auto_takes_the_hosts_when_it_is_there()
    {
        _cgroups.MountVersion2();
        _cgroups.MountVersion2("host");
        CgroupfsRoot? root = CgroupfsRoot.Open("auto", out string notice, Path.Combine(_cgroups.Root, "host"), _cgroups.Root, "/no/mountinfo");
        Assert.Equal(Path.Combine(_cgroups.Root, "host"), root?.DirectoryOf(""));
        Assert.Equal($"Cgroup series are read from {_cgroups.Root}/host (cgroup version 2)", notice);
    }

    private static CgroupNode? Resolve(CgroupfsRoot root, string text) => new CgroupTable(root).Resolve(Encoding.UTF8.GetBytes(text), now: 1);

    /// <summary>Path, CPU time, throttled time, periods, throttled periods, pressure, limit; -1: none.</summary>
    private (string, double, double, double, double, double, double) Read(string text)
    {
        using CgroupTable table = new(_cgroups.Open());
        CgroupNode? node = table.Resolve(Encoding.UTF8.GetBytes(text), now: 1);
        Assert.NotNull(node);
        table.Mark(node);
        table.Collect(now: 1, refreshInterval: 60_000_000_000, room: 10);
        Assert.Equal([node], table.Shown);
        return (node.Path, Seconds(CgroupCounter.Cpu), Seconds(CgroupCounter.Throttled), node.Reading.Counters[CgroupCounter.Periods],
            node.Reading.Counters[CgroupCounter.ThrottledPeriods], Seconds(CgroupCounter.Pressure), Scaled(node.Reading.Limit));

        double Seconds(CgroupCounter counter) => Scaled(node.Reading.Counters[counter]);
        static double Scaled(long value) => value < 0 ? -1 : double.Parse((value / 1e9).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }
}
