using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using ThreadExporter.Exposition;
using ThreadExporter.Exposition.Buffers;
using ThreadExporter.Tests.Packaging;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Exposition;

/// <summary><see cref="ExpositionWriter"/> and <see cref="DecimalText"/>: samples and numbers as text.</summary>
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
    public void Every_value_is_exact_to_the_nanosecond() =>
        Prop.ForAll<long>(any => Math.Max(any, -(any + 1)) is var nanoseconds
            && (long)(decimal.Parse(Format(nanoseconds), CultureInfo.InvariantCulture) * 1_000_000_000m) == nanoseconds)
        .QuickCheckThrowOnFailure();

    [Fact]
    public void A_sample_is_name_labels_and_value()
    {
        PooledBuffer buffer = new(new ChunkPool());
        ExpositionWriter writer = new(buffer, openMetrics: false);
        for (int i = 0; i < 20_000; i++)
            writer.Seconds("a_seconds_total"u8, "{b=\"c\"}"u8, 1_250_000_000);
        writer.Number("n"u8, default, 42);
        string text = buffer.Text();
        buffer.Release();
        Assert.Equal(string.Concat(Enumerable.Repeat("a_seconds_total{b=\"c\"} 1.25\n", 20_000)) + "n 42\n", text);
    }

    [Fact]
    public void Each_format_has_its_own_header()
    {
        Assert.Equal(
            "# HELP perfscale_thread_cpu_seconds_total CPU time of the thread, user and kernel, in seconds, with nanosecond resolution (schedstat).\n"
            + "# TYPE perfscale_thread_cpu_seconds_total counter\n",
            Encoding.UTF8.GetString(MetricCatalog.ThreadCpu.Head(openMetrics: false)));
        Assert.Equal(
            "# HELP perfscale_thread_cpu_seconds CPU time of the thread, user and kernel, in seconds, with nanosecond resolution (schedstat).\n"
            + "# TYPE perfscale_thread_cpu_seconds counter\n# UNIT perfscale_thread_cpu_seconds seconds\n",
            Encoding.UTF8.GetString(MetricCatalog.ThreadCpu.Head(openMetrics: true)));
        Assert.DoesNotContain("UNIT", Encoding.UTF8.GetString(MetricCatalog.ProcessThreads.Head(openMetrics: true)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(9UL)]
    [InlineData(10UL)]
    [InlineData(99UL)]
    [InlineData(100UL)]
    [InlineData(1000UL)]
    [InlineData(9_999_999_999_999_999_999UL)]
    [InlineData(10_000_000_000_000_000_000UL)]
    [InlineData(ulong.MaxValue)]
    public void Whole_numbers_are_printed_in_decimal(ulong value) => Assert.Equal(value.ToString(CultureInfo.InvariantCulture), FormatWhole(value));

    [Fact]
    public void A_whole_number_of_any_length_is_printed_in_decimal() =>
        Prop.ForAll<ulong, byte>((any, shift) => FormatWhole(any << (shift % 64)) == (any << (shift % 64)).ToString(CultureInfo.InvariantCulture))
        .QuickCheckThrowOnFailure();

    private static string FormatWhole(ulong value)
    {
        Span<byte> to = stackalloc byte[20];
        return Encoding.ASCII.GetString(to[..DecimalText.Whole(value, to)]);
    }

    private static string Format(long nanoseconds)
    {
        Span<byte> to = stackalloc byte[20];
        return Encoding.ASCII.GetString(to[..DecimalText.Seconds(nanoseconds, to)]);
    }
}
