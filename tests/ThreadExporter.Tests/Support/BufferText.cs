using System.Text;
using ThreadExporter.Exposition.Buffers;

namespace ThreadExporter.Tests.Support;

internal static class BufferText
{
    public static byte[] Bytes(this PooledBuffer buffer) => [.. buffer.Segments.SelectMany(p => p.ToArray())];

    public static string Text(this PooledBuffer buffer) => Encoding.UTF8.GetString(buffer.Bytes());
}
