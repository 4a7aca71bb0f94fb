using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace ThreadExporter.Procfs;

/// <summary>Text in /proc is bytes: a name may contain anything but NUL.</summary>
public static class ProcText
{
    /// <summary>Decodes UTF-8. Each byte that is not part of valid UTF-8 becomes the four characters <c>\xNN</c> (lower-case hex).</summary>
    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        if (Utf8.IsValid(bytes))
            return Encoding.UTF8.GetString(bytes);

        StringBuilder text = new(bytes.Length + 16);
        Span<char> units = stackalloc char[2];
        while (!bytes.IsEmpty)
        {
            bool valid = Rune.DecodeFromUtf8(bytes, out Rune rune, out int consumed) == OperationStatus.Done;
            if (valid)
            {
                text.Append(units[..rune.EncodeToUtf16(units)]);
            }
            else
            {
                foreach (byte b in bytes[..consumed])
                    text.Append(CultureInfo.InvariantCulture, $"\\x{b:x2}");
            }
            bytes = bytes[consumed..];
        }
        return text.ToString();
    }
}
