using static ThreadExporter.Procfs.Tests.Fixture;

namespace ThreadExporter.Procfs.Tests;

public class CgroupPressureTests
{
    [Theory]
    [InlineData("plain", 80_642_187_000)]
    [InlineData("without-full", 0)]
    public void What_the_kernel_writes(string file, long some)
    {
        Assert.True(CgroupPressure.TryParse(Read("cpu.pressure/" + file), out CgroupPressure pressure));
        Assert.Equal(some, pressure.SomeNanoseconds);
    }

    [Fact]
    public void A_number_out_of_range_is_unknown()
    {
        Assert.True(CgroupPressure.TryParse("some avg10=0.00 total=9223372036854775807\n"u8, out CgroupPressure pressure));
        Assert.Equal(-1, pressure.SomeNanoseconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("some avg10=0.00 avg60=0.00 avg300=0.00 total=1")]
    [InlineData("full avg10=0.00 avg60=0.00 avg300=0.00 total=1\n")]
    [InlineData("some total=1 \n")]
    [InlineData("some total=\n")]
    [InlineData("some total=-1\n")]
    [InlineData("some\n")]
    [InlineData("sometotal=1\n")]
    [InlineData("some total=18446744073709551616\n")]
    public void Anything_else_is_malformed(string text)
    {
        Assert.False(CgroupPressure.TryParse(Latin1(text), out CgroupPressure pressure));
        Assert.Equal(default, pressure);
    }
}
