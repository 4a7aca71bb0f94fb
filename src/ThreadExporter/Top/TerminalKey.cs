using System.Text;

namespace ThreadExporter.Top;

/// <summary>A key that is not a character.</summary>
internal enum KeyName
{
    Character,
    Enter,
    Escape,
    Backspace,
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
}

/// <summary>A key as the terminal sends it.</summary>
/// <param name="Name">Which key.</param>
/// <param name="Character">The character; default for other keys.</param>
internal readonly record struct TerminalKey(KeyName Name, Rune Character = default)
{
    private const byte Esc = 0x1B;

    // Of the control sequences that a terminal sends, only those of keys are so short.
    private const int LongestSequence = 16;

    /// <summary>Reads one key from the start of the bytes, as xterm sends them (ECMA-48 control sequences).</summary>
    /// <param name="bytes">What has arrived.</param>
    /// <param name="isAll">No more bytes follow for now: a lone escape character is the Escape key.</param>
    /// <param name="key">The key; null: one that has no meaning here.</param>
    /// <returns>How many bytes it took; 0: more are needed.</returns>
    public static int Parse(ReadOnlySpan<byte> bytes, bool isAll, out TerminalKey? key)
    {
        key = null;
        if (bytes.IsEmpty)
            return 0;
        if (bytes[0] == Esc)
            return ParseEscape(bytes, isAll, out key);
        if (bytes[0] is (byte)'\r' or (byte)'\n')
            key = new TerminalKey(KeyName.Enter);
        else if (bytes[0] is 0x7F or 0x08)
            key = new TerminalKey(KeyName.Backspace);
        else if (bytes[0] >= ' ')
            return ParseCharacter(bytes, isAll, out key);
        return 1;
    }

    private static int ParseCharacter(ReadOnlySpan<byte> bytes, bool isAll, out TerminalKey? key)
    {
        key = null;
        System.Buffers.OperationStatus status = Rune.DecodeFromUtf8(bytes, out Rune rune, out int length);
        if (status == System.Buffers.OperationStatus.NeedMoreData && !isAll)
            return 0;
        if (status == System.Buffers.OperationStatus.Done)
            key = new TerminalKey(KeyName.Character, rune);
        return length;
    }

    private static int ParseEscape(ReadOnlySpan<byte> bytes, bool isAll, out TerminalKey? key)
    {
        key = null;
        if (bytes.Length == 1 || bytes[1] is not ((byte)'[' or (byte)'O'))
        {
            if (bytes.Length > 1 || isAll)
                key = new TerminalKey(KeyName.Escape);
            return key is null ? 0 : 1;
        }
        // Parameters, then a final byte from @ to ~.
        int end = 2;
        while (end < bytes.Length && bytes[end] is < (byte)'@' or > (byte)'~' && end < LongestSequence)
            end++;
        if (end == bytes.Length)
            return isAll ? bytes.Length : 0;
        KeyName name = (char)bytes[end] switch
        {
            'A' => KeyName.Up,
            'B' => KeyName.Down,
            'H' => KeyName.Home,
            'F' => KeyName.End,
            'M' when bytes[1] == 'O' => KeyName.Enter,
            '~' => OfNumber(bytes[2..end]),
            _ => KeyName.Character,
        };
        if (name != KeyName.Character)
            key = new TerminalKey(name);
        return end + 1;
    }

    private static KeyName OfNumber(ReadOnlySpan<byte> number) => number switch
    {
        [(byte)'1' or (byte)'7'] => KeyName.Home,
        [(byte)'4' or (byte)'8'] => KeyName.End,
        [(byte)'5'] => KeyName.PageUp,
        [(byte)'6'] => KeyName.PageDown,
        _ => KeyName.Character,
    };
}
