using System.Buffers.Text;

namespace ThreadExporter.Procfs;

/// <summary>Paths with a pid or tid in them, written into the caller's memory.</summary>
public static class ProcPath
{
    /// <summary>Enough bytes for the path of any file of a process or thread.</summary>
    public const int BufferSize = 64;

    /// <summary><c>prefix</c>, the number in decimal, <c>suffix</c>: <c>task/</c> 42 <c>/schedstat</c>.</summary>
    /// <returns>The part of <paramref name="buffer"/> that was written.</returns>
    /// <exception cref="ArgumentException">The buffer is too small.</exception>
    public static ReadOnlySpan<byte> Format(Span<byte> buffer, ReadOnlySpan<byte> prefix, int id, ReadOnlySpan<byte> suffix)
    {
        if (prefix.Length <= buffer.Length
            && Utf8Formatter.TryFormat(id, buffer[prefix.Length..], out int digits)
            && prefix.Length + digits + suffix.Length <= buffer.Length)
        {
            prefix.CopyTo(buffer);
            suffix.CopyTo(buffer[(prefix.Length + digits)..]);
            return buffer[..(prefix.Length + digits + suffix.Length)];
        }
        throw new ArgumentException("The buffer is too small for the path.", nameof(buffer));
    }
}
