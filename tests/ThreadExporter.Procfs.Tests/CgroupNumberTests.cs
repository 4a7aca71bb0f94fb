using static ThreadExporter.Procfs.Tests.Fixture;

namespace ThreadExporter.Procfs.Tests;

public class CgroupNumberTests
{
    [Theory]
    [InlineData("no-quota", -1)]
    [InlineData("quota", 50_000)]
    [InlineData("usage", 396_663_366_123)]
    [InlineData("largest", long.MaxValue)]
    public void What_the_kernel_writes(string file, long value)
    {
        Assert.True(CgroupNumber.TryParse(Read("cgroup-number/" + file), out long read));
        Assert.Equal(value, read);
    }

    [Theory]
    [InlineData("-50000\n")]
    [InlineData("18446744073709551615\n")]
    public void Negative_and_out_of_range_are_minus_one(string text)
    {
        Assert.True(CgroupNumber.TryParse(Latin1(text), out long value));
        Assert.Equal(-1, value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("-\n")]
    [InlineData("1")]
    [InlineData("1 \n")]
    [InlineData(" 1\n")]
    [InlineData("1\n1\n")]
    [InlineData("--1\n")]
    [InlineData("18446744073709551616\n")]
    public void Anything_else_is_malformed(string text)
    {
        Assert.False(CgroupNumber.TryParse(Latin1(text), out long value));
        Assert.Equal(0, value);
    }
}
