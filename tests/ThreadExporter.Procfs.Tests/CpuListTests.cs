using System.Text;

namespace ThreadExporter.Procfs.Tests;

public class CpuListTests
{
    [Theory]
    [InlineData("0", 1)]
    [InlineData("3", 1)]
    [InlineData("0-3", 4)]
    [InlineData("0-3,8", 5)]
    [InlineData("1,3,5-6", 4)]
    [InlineData("0-8191", 8192)]
    public void Its_cpus_are_counted(string list, int expected)
    {
        Assert.True(CpuList.TryCount(Encoding.ASCII.GetBytes(list), out int count));
        Assert.Equal(expected, count);
    }

    [Theory]
    [InlineData("")]
    [InlineData(",")]
    [InlineData("1,")]
    [InlineData("1-")]
    [InlineData("-1")]
    [InlineData("3-1")]
    [InlineData("3,1")]
    [InlineData("1,1")]
    [InlineData("1 2")]
    [InlineData("a")]
    [InlineData("0-2147483647")]
    [InlineData("0-2147483646,2147483647")]
    [InlineData("99999999999")]
    public void Anything_else_is_rejected(string list) => Assert.False(CpuList.TryCount(Encoding.ASCII.GetBytes(list), out _));

    [Fact]
    public void That_of_this_thread_is_found()
    {
        Assert.True(CpuList.TryFindAllowed(File.ReadAllBytes("/proc/thread-self/status"), out string list, out int count));
        Assert.NotEmpty(list);
        Assert.InRange(count, 1, 8192);
    }

    [Theory]
    [InlineData("Name:\tx\n")]
    [InlineData("Name:\tx\nCpus_allowed_list:\t0-1")]
    [InlineData("Name:\tx\nCpus_allowed_list:\t\n")]
    [InlineData("Name:\tx\nCpus_allowed_list:\t0-x\n")]
    public void A_status_without_a_whole_list_has_none(string status)
    {
        Assert.False(CpuList.TryFindAllowed(Encoding.ASCII.GetBytes(status), out string list, out int count));
        Assert.Equal(("", 0), (list, count));
    }
}
