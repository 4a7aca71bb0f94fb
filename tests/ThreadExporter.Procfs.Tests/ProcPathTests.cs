using System.Text;

namespace ThreadExporter.Procfs.Tests;

public class ProcPathTests
{
    [Theory]
    [InlineData("task/", 42, "/schedstat", "task/42/schedstat")]
    [InlineData("", 0, "", "0")]
    [InlineData("", int.MaxValue, "/stat", "2147483647/stat")]
    public void It_is_prefix_number_suffix(string prefix, int id, string suffix, string expected)
    {
        Span<byte> buffer = stackalloc byte[ProcPath.BufferSize];
        ReadOnlySpan<byte> path = ProcPath.Format(buffer, Encoding.UTF8.GetBytes(prefix), id, Encoding.UTF8.GetBytes(suffix));
        Assert.Equal(expected, Encoding.UTF8.GetString(path));
    }

    [Fact]
    public void A_buffer_of_exactly_the_needed_size()
    {
        Assert.Equal("a/12/b", Encoding.UTF8.GetString(ProcPath.Format(new byte[6], "a/"u8, 12, "/b"u8)));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(3)]
    [InlineData(2)]
    [InlineData(1)]
    [InlineData(0)]
    public void A_buffer_too_small_is_an_exception(int size)
    {
        ArgumentException thrown = Assert.Throws<ArgumentException>(() => { ProcPath.Format(new byte[size], "a/"u8, 12, "/b"u8); });
        Assert.Equal("The buffer is too small for the path. (Parameter 'buffer')", thrown.Message);
    }
}
