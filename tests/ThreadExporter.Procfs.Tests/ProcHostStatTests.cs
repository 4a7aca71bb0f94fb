using System.Text;
using ThreadExporter.Linux;

namespace ThreadExporter.Procfs.Tests;

public class ProcHostStatTests
{
    private const string Two = "cpu  10 20 30 400 50 6 7 8 90 1\ncpu0 1 2 3 4 5 6 7 8 9 1\ncpu1 1 2 3 4 5 6 7 8 9 1\nintr 5 4 3\nctxt 1\nbtime 1\n";

    [Fact]
    public void Busy_time_leaves_out_idle_waits_and_guests()
    {
        Assert.True(ProcHostStat.TryParse(Encoding.ASCII.GetBytes(Two), out ProcHostStat stat));
        Assert.Equal(new ProcHostStat((10 + 20 + 30 + 6 + 7) * Clocks.NanosecondsPerTick, 8 * Clocks.NanosecondsPerTick, 2), stat);
    }

    [Fact]
    public void That_of_this_host_is_read()
    {
        Assert.True(ProcHostStat.TryParse(File.ReadAllBytes("/proc/stat"), out ProcHostStat stat));
        Assert.True(stat.Busy > 0);
        Assert.InRange(stat.Cpus, 1, 8192);
    }

    [Fact]
    public void An_older_kernel_has_fewer_columns_behind_steal()
    {
        Assert.True(ProcHostStat.TryParse("cpu  1 2 3 4 5 6 7 8\ncpu0 1 2 3 4 5 6 7 8\n"u8, out ProcHostStat stat));
        Assert.Equal(8 * Clocks.NanosecondsPerTick, stat.Steal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("cpu")]
    [InlineData("cpu  1 2 3 4 5 6 7\ncpu0 1\n")]
    [InlineData("cpu  1 2 3 4 5 6 7 8")]
    [InlineData("cpu  1 2 3 4 5 6 7 8\n")]
    [InlineData("cpu  1 2 3 x 5 6 7 8\ncpu0 1\n")]
    [InlineData("cpu  -1 2 3 4 5 6 7 8\ncpu0 1\n")]
    [InlineData("cpu  18446744073709551615 2 3 4 5 6 7 8\ncpu0 1\n")]
    [InlineData("cpu  400000000000 400000000000 400000000000 4 5 400000000000 7 8\ncpu0 1\n")]
    [InlineData("intr 1\ncpu  1 2 3 4 5 6 7 8\ncpu0 1\n")]
    public void Anything_else_is_rejected(string text) => Assert.False(ProcHostStat.TryParse(Encoding.ASCII.GetBytes(text), out _));

    [Fact]
    public void Every_cut_is_rejected_or_has_fewer_cpus()
    {
        byte[] text = Encoding.ASCII.GetBytes(Two);
        for (int length = 0; length < text.Length; length++)
        {
            if (ProcHostStat.TryParse(text.AsSpan(0, length), out ProcHostStat stat))
                Assert.InRange(stat.Cpus, 1, 2);
        }
    }
}
