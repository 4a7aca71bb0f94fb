using static ThreadExporter.Procfs.Tests.Fixture;

namespace ThreadExporter.Procfs.Tests;

public class CgroupCpuStatTests
{
    [Theory]
    [InlineData("v2", 1_234_567_890_000, 36_000, 12_345, 98_765_432_000)]
    [InlineData("v2-without-controller", 42_000, -1, -1, -1)]
    [InlineData("v1", -1, 36_000, 12_345, 98_765_432_109)]
    [InlineData("v1-bursts", -1, 0, 0, 0)]
    [InlineData("v1-more-lines", -1, 1, 1, 1)]
    [InlineData("largest", 9_223_372_036_854_775_000, long.MaxValue, -1, -1)]
    public void What_the_kernel_writes(string file, long cpu, long periods, long throttledPeriods, long throttled)
    {
        Assert.True(CgroupCpuStat.TryParse(Read("cpu.stat/" + file), out CgroupCpuStat stat));
        Assert.Equal(new CgroupCpuStat(cpu, periods, throttledPeriods, throttled), stat);
    }

    [Fact]
    public void A_line_that_was_cut_is_missing()
    {
        Assert.True(CgroupCpuStat.TryParse("nr_periods 12\nnr_throttled 3"u8, out CgroupCpuStat stat));
        Assert.Equal(new CgroupCpuStat(-1, 12, -1, -1), stat);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("nr_periods 1")]
    [InlineData("user_usec 1\n")]
    [InlineData("nr_periods\n")]
    [InlineData("nr_periods \n")]
    [InlineData("nr_periods  1\n")]
    [InlineData("nr_periods 1 \n")]
    [InlineData("nr_periods 1\r\n")]
    [InlineData("nr_periods -1\n")]
    [InlineData("nr_periods 0x1\n")]
    [InlineData("usage_usec 18446744073709551616\n")]
    [InlineData("nr_periods 1\nthrottled_time many\n")]
    [InlineData("nr_periods 1\n\n")]
    [InlineData("\xff\0\x80\n")]
    public void Anything_else_is_malformed(string text)
    {
        Assert.False(CgroupCpuStat.TryParse(Latin1(text), out CgroupCpuStat stat));
        Assert.Equal(default, stat);
    }
}
