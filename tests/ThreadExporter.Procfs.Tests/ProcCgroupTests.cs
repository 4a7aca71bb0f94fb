using static ThreadExporter.Procfs.Tests.Fixture;

namespace ThreadExporter.Procfs.Tests;

public class ProcCgroupTests
{
    public static TheoryData<string, CgroupEntry[]> Files => new()
    {
        { "v2", [new(0, "", "/system.slice/ceph-osd@3.service")] },
        {
            "v1",
            [
                new(12, "cpuset", "/"),
                new(11, "cpu,cpuacct", "/system.slice/mariadb.service"),
                new(1, "name=systemd", "/system.slice/mariadb.service"),
            ]
        },
        { "hybrid", [new(9, "name=systemd", "/user.slice"), new(1, "cpu", "/"), new(0, "", "/user.slice/user-1000.slice")] },
        { "private-namespace", [new(0, "", "/../../kubepods.slice/pod1")] },
        { "outside", [new(0, "", "/..")] },
        { "deleted", [new(0, "", "/system.slice/old.service (deleted)")] },
        { "colons", [new(0, "", "/a:b/c::d:")] },
        { "not-utf8", [new(0, "", @"/caf\xe9")] },
        { "space-in-path", [new(0, "", "/with blank/and\ttab")] },
        { "empty", [] },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void What_the_kernel_writes(string file, CgroupEntry[] expected)
    {
        List<CgroupEntry> entries = new() { new(99, "of the", "last call") };
        Assert.True(ProcCgroup.TryParse(Read("cgroup/" + file), entries));
        Assert.Equal(expected, entries);
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\xff\x80\0\n")]
    [InlineData("::/\n")]
    [InlineData("-1::/\n")]
    [InlineData("2147483648::/\n")]
    [InlineData("a::/\n")]
    [InlineData("0::\n")]
    [InlineData("0::a\n")]
    [InlineData("0:/\n")]
    [InlineData("0\n")]
    [InlineData("0::/")]
    [InlineData("1:cpu:/\n0::/sys")]
    [InlineData("1:cpu:/\n\n0::/\n")]
    public void Anything_else_is_malformed(string text)
    {
        List<CgroupEntry> entries = new() { new(99, "of the", "last call") };
        Assert.False(ProcCgroup.TryParse(Latin1(text), entries));
        Assert.Empty(entries);
    }
}
