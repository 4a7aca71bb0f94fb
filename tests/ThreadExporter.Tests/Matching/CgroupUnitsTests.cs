using System.Text;
using ThreadExporter.Matching;
using ThreadExporter.Procfs;

namespace ThreadExporter.Tests.Matching;

public sealed class CgroupUnitsTests
{
    private const string V2 = "0::/system.slice/system-ceph\\x2dosd.slice/ceph-osd@3.service\n";
    private const string Hybrid = """
        12:cpu,cpuacct:/system.slice/mariadb.service
        11:memory:/other
        1:name=systemd:/system.slice/mariadb.service
        0::/system.slice/mariadb.service

        """;
    private const string OldHybrid = """
        12:cpu,cpuacct:/
        1:name=systemd:/user.slice/user-1000.slice/session-3.scope
        0::/

        """;
    private const string V1Docker = """
        5:memory:/docker/0123abcd
        4:cpu,cpuacct:/docker/0123abcd
        3:pids:/

        """;
    private const string Private = "0::/../../system.slice/nginx.service/worker\n";
    private const string Deleted = "0::/system.slice/old.service (deleted)\n";
    private const string Kubernetes =
        "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1f_2.slice/cri-containerd-77aa.scope\n";
    private const string User = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-firefox-1234.scope\n";
    private const string Underscore = "0::/system.slice/_cpu.service\n";
    private const string Umlaut = "0::/system.slice/m\\xc3\\xa4rz\\x2d1.service\n";

    private static List<CgroupEntry> Parse(string text)
    {
        List<CgroupEntry> entries = new();
        Assert.True(ProcCgroup.TryParse(Encoding.UTF8.GetBytes(text), entries));
        return entries;
    }

    [Theory]
    [InlineData(V2, "ceph-osd@3.service")]
    [InlineData(Hybrid, "mariadb.service")]
    [InlineData(OldHybrid, "session-3.scope")]
    [InlineData(V1Docker, null)]
    [InlineData(Private, "nginx.service")]
    [InlineData(Deleted, "old.service")]
    [InlineData(Kubernetes, "cri-containerd-77aa.scope")]
    [InlineData(User, "app-firefox-1234.scope")]
    [InlineData(Underscore, "cpu.service")]
    [InlineData(Umlaut, "m\\xc3\\xa4rz\\x2d1.service")]
    [InlineData("0::/init.scope\n", "init.scope")]
    [InlineData("0::/\n", null)]
    [InlineData("0::/system.slice\n", null)]
    [InlineData("0::/system.slice/.service\n", null)]
    [InlineData("", null)]
    public void Unit_is_the_innermost_service_or_scope(string cgroup, string? unit) => Assert.Equal(unit, CgroupUnits.Unit(Parse(cgroup)));

    [Theory]
    [InlineData(V2, "ceph-osd@*.service", true)]
    [InlineData(V2, "ceph-osd@4.service", false)]
    [InlineData(V2, "ceph-osd@3", false)]
    [InlineData(V2, "system.slice", true)]
    // Pasted from systemctl, unescaped, and escaped for a glob.
    [InlineData(V2, "system-ceph\\x2dosd.slice", true)]
    [InlineData(V2, "system-ceph-osd.slice", true)]
    [InlineData(V2, "system-ceph\\\\x2dosd.slice", true)]
    [InlineData(V2, "system-cephx2dosd.slice", false)]
    [InlineData(Hybrid, "mariadb.service", true)]
    [InlineData(OldHybrid, "session-*.scope", true)]
    [InlineData(OldHybrid, "user-1000.slice", true)]
    [InlineData(V1Docker, "*", false)]
    [InlineData(Private, "nginx.service", true)]
    [InlineData(Private, "worker", false)]
    [InlineData(Private, "*", true)]
    [InlineData(Deleted, "old.service", true)]
    [InlineData(User, "user@1000.service", true)]
    [InlineData(Underscore, "cpu.service", true)]
    [InlineData(Umlaut, "märz-1.service", true)]
    [InlineData(Umlaut, "m\\xc3\\xa4rz\\x2d1.service", true)]
    [InlineData("0::/a.socket/b.mount/c.swap\n", "a.socket", true)]
    [InlineData("0::/a.socket/b.mount/c.swap\n", "b.mount", true)]
    [InlineData("0::/a.socket/b.mount/c.swap\n", "c.swap", true)]
    [InlineData("9:name=other:/x.service\n", "x.service", false)]
    [InlineData("0::/weird\\x.service\n", "weird\\x.service", false)]
    [InlineData("0::/weird\\x.service\n", "weird\\\\x.service", true)]
    public void MatchesUnit_tries_every_unit_in_the_path(string cgroup, string pattern, bool expected) =>
        Assert.Equal(expected, CgroupUnits.MatchesUnit(CgroupUnits.CompileUnitGlobs([pattern]), Parse(cgroup)));

    [Theory]
    [InlineData(V2, "/system.slice/*", true)]
    [InlineData(V2, "system.slice/*", false)]
    [InlineData(V2, "/system.slice", false)]
    [InlineData(Kubernetes, "/kubepods*", true)]
    [InlineData(Hybrid, "/system.slice/mariadb.service", true)]
    [InlineData(Hybrid, "/other", false)]
    [InlineData(OldHybrid, "/user.slice/*", true)]
    [InlineData(OldHybrid, "/", true)]
    [InlineData(V1Docker, "/docker/*", true)]
    [InlineData(V1Docker, "/docker", false)]
    [InlineData(Private, "/system.slice/nginx.service/worker", true)]
    [InlineData(Private, "/..*", false)]
    [InlineData(Deleted, "/system.slice/old.service", true)]
    [InlineData("0::/..\n", "/", true)]
    [InlineData("0::/..foo/bar\n", "/..foo/bar", true)]
    [InlineData("0::/\n", "/", true)]
    [InlineData("3:memory:/jobs/7\n1:name=systemd:/\n0::/\n", "/jobs/*", true)]
    public void MatchesPath_uses_the_hierarchy_of_systemd_or_else_any(string cgroup, string pattern, bool expected) =>
        Assert.Equal(expected, CgroupUnits.MatchesPath([new Glob(pattern)], Parse(cgroup)));
}
