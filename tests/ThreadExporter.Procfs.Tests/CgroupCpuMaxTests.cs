using System.Text;
using static ThreadExporter.Procfs.Tests.Fixture;

namespace ThreadExporter.Procfs.Tests;

public class CgroupCpuMaxTests
{
    [Theory]
    [InlineData("none", -1)]
    [InlineData("half", 500_000_000)]
    [InlineData("two-and-a-half", 2_500_000_000)]
    [InlineData("least", 1_000_000)]
    public void What_version_2_writes(string file, long nanocores)
    {
        Assert.True(CgroupCpuMax.TryParse(Read("cpu.max/" + file), out CgroupCpuMax limit));
        Assert.Equal(nanocores, limit.Nanocores);
    }

    [Theory]
    [InlineData("-1\n", "100000\n", -1)]
    [InlineData("20000\n", "100000\n", 200_000_000)]
    [InlineData("400000\n", "100000\n", 4_000_000_000)]
    [InlineData("9223372036854775807\n", "1\n", -1)]
    public void What_version_1_writes(string quota, string period, long nanocores)
    {
        Assert.True(CgroupCpuMax.TryParse(Encoding.ASCII.GetBytes(quota), Encoding.ASCII.GetBytes(period), out CgroupCpuMax limit));
        Assert.Equal(nanocores, limit.Nanocores);
    }

    [Theory]
    [InlineData("")]
    [InlineData("max\n")]
    [InlineData("max 100000")]
    [InlineData("maximum 100000\n")]
    [InlineData("max 0\n")]
    [InlineData("50000\n")]
    [InlineData("50000 100000 \n")]
    [InlineData("-1 100000\n")]
    [InlineData("50000  100000\n")]
    [InlineData("50000 0\n")]
    [InlineData("18446744073709551615 100000\n")]
    [InlineData("50000 18446744073709551615\n")]
    [InlineData("18446744073709551616 100000\n")]
    public void Anything_else_is_malformed(string text)
    {
        Assert.False(CgroupCpuMax.TryParse(Latin1(text), out CgroupCpuMax limit));
        Assert.Equal(default, limit);
    }

    [Theory]
    [InlineData("", "100000\n")]
    [InlineData("20000\n", "")]
    [InlineData("20000\n", "0\n")]
    [InlineData("20000\n", "-1\n")]
    [InlineData("20000", "100000\n")]
    public void Two_files_that_are_not_numbers_are_malformed(string quota, string period) =>
        Assert.False(CgroupCpuMax.TryParse(Latin1(quota), Latin1(period), out _));
}
