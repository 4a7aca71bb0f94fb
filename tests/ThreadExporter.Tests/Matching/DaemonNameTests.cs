using System.Text.RegularExpressions;
using ThreadExporter.Configuration;
using ThreadExporter.Matching;

namespace ThreadExporter.Tests.Matching;

public sealed class DaemonNameTests
{
    private static (string Name, bool Incomplete) Resolve(FakeProcess process, string? daemon = null)
    {
        FilterConfig filter = new()
        {
            Name = "r",
            Comm = ["*"],
            Daemon = daemon is null ? null : new Regex(daemon, RegexOptions.NonBacktracking),
        };
        return DaemonName.Resolve(Matcher.Compile([filter]).Filters[0], process.Info);
    }

    [Theory]
    [InlineData("ceph-osd", "/usr/bin/ceph-osd|--id|0", null, "osd.0")]
    [InlineData("ceph-mon", "ceph-mon|--id=a", null, "mon.a")]
    [InlineData("mariadbd", "/usr/sbin/mariadbd|--id|0", null, "mariadbd")]
    [InlineData("ceph-osd", "ceph-osd", null, "ceph-osd")]
    [InlineData("ceph-osd", "", null, "ceph-osd")]
    [InlineData("java", "java|--instance|blue|-Xmx1g", "--instance (\\S+)", "blue")]
    [InlineData("java", "java|-Dname=a b|x", "-Dname=(.*) x", "a b")]
    [InlineData("ceph-osd", "ceph-osd|--id|0|--cluster|green", "--cluster (?<cluster>\\S+)", "green")]
    // No match, an empty group, or no group: the built-in names.
    [InlineData("ceph-osd", "ceph-osd|--id|0", "--cluster (\\S+)", "osd.0")]
    [InlineData("ceph-osd", "ceph-osd|--id|0", "--id(x*)", "osd.0")]
    [InlineData("ceph-osd", "ceph-osd|--id|0", "--id", "osd.0")]
    [InlineData("java", "java", "--instance (\\S+)", "java")]
    public void The_regex_first_then_Ceph_then_comm(string comm, string cmdline, string? daemon, string expected)
    {
        using FakeProcess process = new(comm: comm, cmdline: cmdline);
        Assert.Equal((expected, false), Resolve(process, daemon));
    }

    [Fact]
    public void Until_the_command_line_is_known_it_is_comm()
    {
        using FakeProcess osd = new(comm: "ceph-osd", cmdline: null);
        Assert.Equal(("ceph-osd", true), Resolve(osd));
        using FakeProcess java = new(comm: "java", cmdline: null);
        Assert.Equal(("java", true), Resolve(java, "(x)"));
    }

    [Fact]
    public void Comm_alone_reads_no_command_line()
    {
        using FakeProcess process = new(comm: "mariadbd") { ForbidCommandLine = true };
        Assert.Equal(("mariadbd", false), Resolve(process));
    }

    [Fact]
    public void A_kernel_worker_is_named_without_its_work_item()
    {
        using FakeProcess process = new(comm: "kworker/0:1-events", cmdline: "", kernelThread: true);
        Assert.Equal(("kworker/0:1", false), Resolve(process));
        using FakeProcess user = new(comm: "kworker/0:1-x", cmdline: "");
        Assert.Equal(("kworker/0:1-x", false), Resolve(user));
    }

    [Fact]
    public void A_name_that_is_not_UTF8_is_shown_escaped()
    {
        using FakeProcess process = new(rawComm: [0x61, 0xFF]);
        Assert.Equal(("a\\xff", false), Resolve(process));
    }
}
