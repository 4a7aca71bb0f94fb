using System.Buffers.Text;
using System.Text;
using System.Text.Unicode;

namespace ThreadExporter.Exposition;

/// <summary>
/// Renders a label set. Values are always valid UTF-8: a byte that is not part of a valid character becomes the four characters
/// <c>\xNN</c>, whose backslash the text format escapes (<c>\\xNN</c> in the response).
/// </summary>
internal ref struct LabelText(Span<byte> buffer)
{
    private readonly Span<byte> _buffer = buffer;
    private int _length;

    /// <summary>The largest size of a rendered value: five characters for each byte that is not UTF-8.</summary>
    public static int MaxLength(int valueBytes) => valueBytes * 5;

    public void Add(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> value)
    {
        Open(name);
        while (value.Length > 0)
        {
            if (Rune.DecodeFromUtf8(value, out _, out int used) != System.Buffers.OperationStatus.Done)
            {
                Append("\\\\x"u8);
                Append([HexDigit(value[0] >> 4), HexDigit(value[0] & 15)]);
                value = value[1..];
                continue;
            }
            switch (value[0])
            {
                case (byte)'\\': Append("\\\\"u8); break;
                case (byte)'"': Append("\\\""u8); break;
                case (byte)'\n': Append("\\n"u8); break;
                default: Append(value[..used]); break;
            }
            value = value[used..];
        }
        Append("\""u8);
    }

    public void Add(scoped ReadOnlySpan<byte> name, int value)
    {
        Open(name);
        Utf8Formatter.TryFormat(value, _buffer[_length..], out int written);
        _length += written;
        Append("\""u8);
    }

    /// <summary>The label set with its braces, in UTF-8.</summary>
    public byte[] Finish()
    {
        Append("}"u8);
        byte[] text = _buffer[.._length].ToArray();
        System.Diagnostics.Debug.Assert(Utf8.IsValid(text));
        return text;
    }

    private void Open(scoped ReadOnlySpan<byte> name)
    {
        Append(_length == 0 ? "{"u8 : ","u8);
        Append(name);
        Append("=\""u8);
    }

    private void Append(scoped ReadOnlySpan<byte> text)
    {
        text.CopyTo(_buffer[_length..]);
        _length += text.Length;
    }

    private static byte HexDigit(int value) => (byte)(value < 10 ? '0' + value : 'a' + value - 10);
}
