using ThreadExporter.Linux;

namespace ThreadExporter.Procfs.Tests;

public class ProcStatmTests
{
    [Fact]
    public void Reads_size_and_resident_pages()
    {
        Assert.True(ProcStatm.TryParse("13157463 20432 8124 4563 0 60512 0\n"u8, out ProcStatm statm));
        Assert.Equal(new ProcStatm(13157463, 20432), statm);
    }

    [Fact]
    public void A_number_out_of_range_is_unknown_and_the_other_is_read()
    {
        Assert.True(ProcStatm.TryParse("18446744073709551615 7 1\n"u8, out ProcStatm statm));
        Assert.Equal(new ProcStatm(-1, 7), statm);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("12")]
    [InlineData("12 ")]
    [InlineData("12 34")]
    [InlineData("12\t34 5")]
    [InlineData("-12 34 5")]
    [InlineData("12 99999999999999999999 5")]
    public void Other_text_is_malformed(string text) => Assert.False(ProcStatm.TryParse(System.Text.Encoding.ASCII.GetBytes(text), out _));

    [Fact]
    public void Matches_this_process()
    {
        byte[] buffer = new byte[256];
        Assert.Equal(ReadStatus.Ok, RawFile.ReadOnce(-1, "/proc/self/statm"u8, buffer, out int length));
        Assert.True(ProcStatm.TryParse(buffer.AsSpan(0, length), out ProcStatm statm));
        Assert.InRange(statm.Resident, 1000, statm.Size);
    }
}
