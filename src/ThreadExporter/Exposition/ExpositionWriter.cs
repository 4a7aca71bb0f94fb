using System.Runtime.CompilerServices;
using ThreadExporter.Exposition.Buffers;

namespace ThreadExporter.Exposition;

/// <summary>
/// Writes samples in the Prometheus text format 0.0.4 or OpenMetrics 1.0.0. The formats differ in the header of a family and in the end of
/// the text; the samples written here are the same in both.
/// </summary>
internal readonly ref struct ExpositionWriter(PooledBuffer output, bool openMetrics)
{
    // At most 20 bytes of value, the space before it and the newline after it.
    private const int ValueSize = 32;

    /// <summary>The HELP, TYPE and UNIT lines of a family.</summary>
    public void Head(MetricFamily family) => output.Write(family.Head(openMetrics));

    /// <summary>A sample in seconds, exact to the nanosecond, without an exponent.</summary>
    /// <param name="name">The sample's name.</param>
    /// <param name="labels">The label set with its braces, or empty.</param>
    /// <param name="nanoseconds">The value; not negative.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Seconds(ReadOnlySpan<byte> name, ReadOnlySpan<byte> labels, long nanoseconds)
    {
        Span<byte> value = Start(name, labels, out int at);
        End(value, at, DecimalText.Seconds(nanoseconds, value));
    }

    /// <summary>A sample with a whole number.</summary>
    /// <param name="name">The sample's name.</param>
    /// <param name="labels">The label set with its braces, or empty.</param>
    /// <param name="value">The value; not negative.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Number(ReadOnlySpan<byte> name, ReadOnlySpan<byte> labels, long value)
    {
        Span<byte> text = Start(name, labels, out int at);
        End(text, at, DecimalText.Whole((ulong)value, text));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Span<byte> Start(ReadOnlySpan<byte> name, ReadOnlySpan<byte> labels, out int at)
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
