namespace ThreadExporter.Procfs.Tests;

public class HidePidTests
{
    private const string Status = "Name:\tx\nGid:\t7\t8\t9\t990\nGroups:\t4 24 \nCapEff:\t0000000000000000\n";

    [Theory]
    [InlineData("22 1 0:21 / /proc rw,nosuid - proc proc rw,hidepid=invisible", "hidepid=invisible", 0u)]
    [InlineData("22 1 0:21 / /proc rw,nosuid shared:5 - proc proc rw,gid=990,hidepid=2", "hidepid=2", 990u)]
    [InlineData("22 1 0:21 / /proc rw shared:5 master:2 - proc none rw,hidepid=noaccess,subset=pid", "hidepid=noaccess", 0u)]
    public void Option(string line, string option, uint group)
    {
        Assert.True(HidePid.TryParse(line, "0:21", out HidePid hiding));
        Assert.Equal(new HidePid(option, group), hiding);
    }

    [Theory]
    [InlineData("22 1 0:21 / /proc rw,nosuid - proc proc rw")]
    [InlineData("22 1 0:21 / /proc rw,nosuid - proc proc rw,hidepid=0")]
    [InlineData("22 1 0:21 / /proc rw,nosuid - proc proc rw,hidepid=off")]
    [InlineData("22 1 0:22 / /proc rw,nosuid - proc proc rw,hidepid=invisible")]
    [InlineData("22 1 0:21 / /proc rw,nosuid - tmpfs proc rw,hidepid=invisible")]
    [InlineData("22 1 0:21 / /proc rw,nosuid")]
    [InlineData("")]
    public void No_option(string line) => Assert.False(HidePid.TryParse(line, "0:21", out _));

    [Theory]
    [InlineData("hidepid=invisible", 990u, true)]
    [InlineData("hidepid=2", 24u, true)]
    [InlineData("hidepid=2", 7u, false)]
    [InlineData("hidepid=2", 0u, false)]
    [InlineData("hidepid=ptraceable", 990u, false)]
    [InlineData("hidepid=4", 24u, false)]
    public void The_group_is_exempt(string option, uint group, bool expected) =>
        Assert.Equal(expected, new HidePid(option, group).Exempts(Status));

    [Theory]
    [InlineData("0000000000080000", true)]
    [InlineData("000001ffffffffff", true)]
    [InlineData("0000000000040000", false)]
    public void CAP_SYS_PTRACE_is_exempt(string capabilities, bool expected)
    {
        string status = Status.Replace("0000000000000000", capabilities, StringComparison.Ordinal);
        Assert.Equal(expected, new HidePid("hidepid=invisible", 0).Exempts(status));
        Assert.Equal(expected, new HidePid("hidepid=ptraceable", 990).Exempts(status));
    }
}
