using System.Runtime.CompilerServices;
using ThreadExporter.Exposition.Buffers;

namespace ThreadExporter.Exposition;

/// <summary>
/// Writes samples in the Prometheus text format 0.0.4 or OpenMetrics 1.0.0. The two differ in the head of a family and
/// in the end of the text; the samples that we write are the same in both.
/// </summary>
internal readonly ref struct ExpositionWriter(PooledBuffer output, bool openMetrics)
{
    // A sample's value: at most 19 digits and a point, the blank before and the newline after.
    private const int ValueSize = 32;

    public void Head(MetricFamily family) => output.Write(family.Head(openMetrics));

    /// <summary>A sample in seconds, printed exactly: at most nine decimals, no exponent.</summary>
    /// <param name="name">The sample's name.</param>
    /// <param name="labels">The label set with its braces, or empty.</param>
    /// <param name="nanoseconds">The value; never negative.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Seconds(ReadOnlySpan<byte> name, ReadOnlySpan<byte> labels, long nanoseconds)
    {
        Span<byte> value = Begin(name, labels, out int at);
        End(value, at, DecimalText.Seconds(nanoseconds, value));
    }

    /// <summary>A sample with a whole number; never negative.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Number(ReadOnlySpan<byte> name, ReadOnlySpan<byte> labels, long value)
    {
        Span<byte> text = Begin(name, labels, out int at);
        End(text, at, DecimalText.Whole((ulong)value, text));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Span<byte> Begin(ReadOnlySpan<byte> name, ReadOnlySpan<byte> labels, out int at)
    {
        Span<byte> span = output.GetSpan(name.Length + labels.Length + ValueSize);
        name.CopyTo(span);
        labels.CopyTo(span[name.Length..]);
        at = name.Length + labels.Length;
        span[at++] = (byte)' ';
        return span[at..];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void End(Span<byte> value, int at, int length)
    {
        value[length] = (byte)'\n';
        output.Advance(at + length + 1);
    }
}
