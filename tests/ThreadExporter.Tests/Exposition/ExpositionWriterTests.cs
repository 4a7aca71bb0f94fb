using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using ThreadExporter.Exposition;

namespace ThreadExporter.Tests.Exposition;

public class ExpositionWriterTests
{
    [Theory]
    [InlineData(0L, "0")]
    [InlineData(1L, "0.000000001")]
    [InlineData(10_000_000L, "0.01")]
    [InlineData(1_000_000_000L, "1")]
    [InlineData(100_000_000_000L, "100")]
    [InlineData(1_500_000_000L, "1.5")]
    [InlineData(9_000_000_123_456_789L, "9000000.123456789")]
    [InlineData(long.MaxValue, "9223372036.854775807")]
    public void Nanoseconds_are_printed_as_exact_seconds(long nanoseconds, string expected) => Assert.Equal(expected, Format(nanoseconds));

    [Fact]
    public void Every_value_reads_back_to_the_nanosecond() =>
        Prop.ForAll<long>(any => Math.Max(any, -(any + 1)) is var nanoseconds
            && (long)(decimal.Parse(Format(nanoseconds), CultureInfo.InvariantCulture) * 1_000_000_000m) == nanoseconds)
        .QuickCheckThrowOnFailure();

    [Fact]
    public void A_sample_is_name_labels_value()
    {
        PooledBuffer buffer = new(16);
        ExpositionWriter writer = new(buffer, openMetrics: false);
        for (int i = 0; i < 1000; i++)
            writer.Seconds("a_seconds_total"u8, "{b=\"c\"}"u8, 1_250_000_000);
        writer.Number("n"u8, default, 42);
        string text = Encoding.UTF8.GetString(buffer.Written.Span);
        buffer.Release();
        Assert.Equal(string.Concat(Enumerable.Repeat("a_seconds_total{b=\"c\"} 1.25\n", 1000)) + "n 42\n", text);
    }

    [Fact]
    public void The_heads_of_the_two_formats()
    {
        Assert.Equal(
            "# HELP perfscale_thread_cpu_seconds_total CPU time of the thread, user and kernel, in seconds, from the scheduler's nanosecond clock.\n"
            + "# TYPE perfscale_thread_cpu_seconds_total counter\n",
            Encoding.UTF8.GetString(Catalogue.ThreadCpu.Head(openMetrics: false)));
        Assert.Equal(
            "# HELP perfscale_thread_cpu_seconds CPU time of the thread, user and kernel, in seconds, from the scheduler's nanosecond clock.\n"
            + "# TYPE perfscale_thread_cpu_seconds counter\n# UNIT perfscale_thread_cpu_seconds seconds\n",
            Encoding.UTF8.GetString(Catalogue.ThreadCpu.Head(openMetrics: true)));
        Assert.DoesNotContain("UNIT", Encoding.UTF8.GetString(Catalogue.ProcessThreads.Head(openMetrics: true)), StringComparison.Ordinal);
    }

    private static string Format(long nanoseconds)
    {
        Span<byte> to = stackalloc byte[32];
        return Encoding.ASCII.GetString(to[..ExpositionWriter.FormatSeconds(nanoseconds, to)]);
    }
}
