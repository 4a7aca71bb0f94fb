using static ThreadExporter.Procfs.Tests.Fixture;

namespace ThreadExporter.Procfs.Tests;

public class ProcIoTests
{
    [Theory]
    [InlineData("plain", 8192, 323932160)]
    [InlineData("zero", 0, 0)]
    [InlineData("largest", long.MaxValue, long.MaxValue)]
    [InlineData("without-character-counts", 12288, 4096)]
    public void What_the_kernel_writes(string file, long read, long written)
    {
        Assert.True(ProcIo.TryParse(Read("io/" + file), out ProcIo io));
        Assert.Equal(new ProcIo(read, written), io);
    }

    [Fact]
    public void A_number_out_of_range_is_unknown_and_the_other_is_read()
    {
        Assert.True(ProcIo.TryParse("read_bytes: 9223372036854775808\nwrite_bytes: 7\n"u8, out ProcIo io));
        Assert.Equal(new ProcIo(-1, 7), io);
        Assert.True(ProcIo.TryParse("read_bytes: 7\nwrite_bytes: 18446744073709551615\n"u8, out io));
        Assert.Equal(new ProcIo(7, -1), io);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("read_bytes: 1\n")]
    [InlineData("write_bytes: 1\n")]
    [InlineData("read_bytes: 1\nwrite_bytes: 2")]
    [InlineData("read_bytes: 1\ncancelled_write_bytes: 2\n")]
    [InlineData("xread_bytes: 1\nwrite_bytes: 2\n")]
    [InlineData("read_bytes: \nwrite_bytes: 2\n")]
    [InlineData("read_bytes:1\nwrite_bytes: 2\n")]
    [InlineData("read_bytes:  1\nwrite_bytes: 2\n")]
    [InlineData("read_bytes: 1 \nwrite_bytes: 2\n")]
    [InlineData("read_bytes: -1\nwrite_bytes: 2\n")]
    [InlineData("read_bytes: 1\nwrite_bytes: 18446744073709551616\n")]
    [InlineData("read_bytes: 18446744073709551615\nwrite_bytes: 1\nread_bytes: 1\n")]
    [InlineData("read_bytes: 1\nwrite_bytes: many\n")]
    [InlineData("read_bytes: 1\nwrite_bytes: 2\nread_bytes: 3\n")]
    [InlineData("read_bytes: 1\nwrite_bytes: 2\nwrite_bytes: 3\n")]
    [InlineData("\xff\0\x80\n")]
    public void Anything_else_is_malformed(string text)
    {
        Assert.False(ProcIo.TryParse(Latin1(text), out ProcIo io));
        Assert.Equal(default, io);
    }
}
