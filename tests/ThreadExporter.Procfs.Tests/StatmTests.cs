namespace ThreadExporter.Procfs.Tests;

public class StatmTests
{
    [Fact]
    public void Reads_size_and_resident_pages()
    {
        Assert.True(Statm.TryParse("13157463 20432 8124 4563 0 60512 0\n"u8, out Statm statm));
        Assert.Equal(new Statm(13157463, 20432), statm);
    }

    [Fact]
    public void A_number_that_cannot_be_is_unknown_and_the_other_is_read()
    {
        Assert.True(Statm.TryParse("18446744073709551615 7 1\n"u8, out Statm statm));
        Assert.Equal(new Statm(-1, 7), statm);
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
    public void Refuses_what_is_not_statm(string text) => Assert.False(Statm.TryParse(System.Text.Encoding.ASCII.GetBytes(text), out _));

    [Fact]
    public void Is_that_of_this_process()
    {
        byte[] buffer = new byte[256];
        Assert.Equal(ReadStatus.Ok, ProcFile.ReadOnce(-1, "/proc/self/statm"u8, buffer, out int length));
        Assert.True(Statm.TryParse(buffer.AsSpan(0, length), out Statm statm));
        Assert.InRange(statm.Resident, 1000, statm.Size);
    }
}
