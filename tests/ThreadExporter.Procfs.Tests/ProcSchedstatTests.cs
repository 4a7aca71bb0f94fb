using static ThreadExporter.Procfs.Tests.Fixture;

namespace ThreadExporter.Procfs.Tests;

public class ProcSchedstatTests
{
    [Theory]
    [InlineData("running", 8123456789, 144063, 77)]
    [InlineData("zero", 0, 0, 0)]
    [InlineData("waited-only", 0, 144063, 1)]
    [InlineData("largest", long.MaxValue, long.MaxValue, long.MaxValue)]
    public void What_the_kernel_writes(string file, long run, long wait, long slices)
    {
        Assert.True(ProcSchedstat.TryParse(Read("schedstat/" + file), out ProcSchedstat schedStat));
        Assert.Equal(new ProcSchedstat(run, wait, slices), schedStat);
    }

    [Theory]
    [InlineData("9223372036854775808 2 3\n", -1, 2, 3)]
    [InlineData("8000000000 18446744073709551000 13\n", 8000000000, -1, 13)]
    [InlineData("1 2 18446744073709551615\n", 1, 2, -1)]
    public void A_number_out_of_range_is_unknown_and_the_others_are_read(string text, long run, long wait, long slices)
    {
        Assert.True(ProcSchedstat.TryParse(Latin1(text), out ProcSchedstat schedStat));
        Assert.Equal(new ProcSchedstat(run, wait, slices), schedStat);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("1\n")]
    [InlineData("1 2\n")]
    [InlineData("1 2 \n")]
    [InlineData("1 2 3 4\n")]
    [InlineData("1 2 3")]
    [InlineData("8123456789 1440")]
    [InlineData("-1 2 3\n")]
    [InlineData("1 -2 3\n")]
    [InlineData("1 2 -3\n")]
    [InlineData("18446744073709551616 2 3\n")]
    [InlineData("1 18446744073709551616 3\n")]
    [InlineData("1 2 99999999999999999999999999999\n")]
    [InlineData("a b c\n")]
    [InlineData("1\t2\t3\n")]
    [InlineData("1  2 3\n")]
    [InlineData(" 1 2 3\n")]
    [InlineData("1 2 3 \n")]
    [InlineData("1 2 3\n4 5 6\n")]
    [InlineData("1.5 2 3\n")]
    [InlineData("1 2 3\0\n")]
    [InlineData("\xff\x80\0\n")]
    public void Anything_else_is_malformed(string text)
    {
        Assert.False(ProcSchedstat.TryParse(Latin1(text), out ProcSchedstat schedStat));
        Assert.Equal(default, schedStat);
    }
}
