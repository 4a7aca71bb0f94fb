using System.Buffers.Text;

namespace ThreadExporter.Exposition;

/// <summary>
/// Writes samples in the Prometheus text format 0.0.4 or OpenMetrics 1.0.0. The two differ in the head of a family and
/// in the end of the text; the samples that we write are the same in both.
/// </summary>
internal readonly ref struct ExpositionWriter(PooledBuffer output, bool openMetrics)
{
    // A sample's value: at most 20 digits, a point and 9 digits, the blank before and the newline after.
    private const int ValueSize = 32;

    public void Head(MetricFamily family)
    {
        ReadOnlySpan<byte> head = family.Head(openMetrics);
        head.CopyTo(output.GetSpan(head.Length));
        output.Advance(head.Length);
    }

    /// <summary>A sample in seconds, printed exactly: at most nine decimals, no exponent.</summary>
    /// <param name="name">The sample's name.</param>
    /// <param name="labels">The label set with its braces, or empty.</param>
    /// <param name="nanoseconds">The value; never negative.</param>
    public void Seconds(ReadOnlySpan<byte> name, ReadOnlySpan<byte> labels, long nanoseconds)
    {
        Span<byte> span = Begin(name, labels, out int at);
        at += FormatSeconds(nanoseconds, span[at..]);
        End(span, at);
    }

    /// <summary>A sample with a whole number.</summary>
    public void Number(ReadOnlySpan<byte> name, ReadOnlySpan<byte> labels, long value)
    {
        Span<byte> span = Begin(name, labels, out int at);
        Utf8Formatter.TryFormat(value, span[at..], out int written);
        End(span, at + written);
    }

    /// <summary>Nanoseconds as decimal seconds. Returns the number of bytes written.</summary>
    public static int FormatSeconds(long nanoseconds, Span<byte> to)
    {
        (long whole, long rest) = Math.DivRem(nanoseconds, 1_000_000_000);
        Utf8Formatter.TryFormat(whole, to, out int at);
        if (rest == 0)
            return at;
        to[at] = (byte)'.';
        Utf8Formatter.TryFormat(rest, to[(at + 1)..], out _, new System.Buffers.StandardFormat('D', 9));
        at += 9;
        while (to[at] == (byte)'0')
            at--;
        return at + 1;
    }

    private Span<byte> Begin(ReadOnlySpan<byte> name, ReadOnlySpan<byte> labels, out int at)
    {
        Span<byte> span = output.GetSpan(name.Length + labels.Length + ValueSize);
        name.CopyTo(span);
        labels.CopyTo(span[name.Length..]);
        at = name.Length + labels.Length;
        span[at++] = (byte)' ';
        return span;
    }

    private void End(Span<byte> span, int at)
    {
        span[at] = (byte)'\n';
        output.Advance(at + 1);
    }
}
