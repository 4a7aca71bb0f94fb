using System.Globalization;
using System.Text;

namespace ThreadExporter.Text;

/// <summary>
/// Text of others (names of processes and threads, file names, values of the configuration, parameters of a request) for a
/// terminal, the log, a text response or a page. What is not seen as itself is shown as <c>\u202E</c>, one for each UTF-16
/// unit: controls, format characters (the bidirectional overrides, zero-width ones), line separators, lone surrogates,
/// characters of private use, unassigned ones and the letters that are empty. Such an escape is also one of JSON and TOML.
/// </summary>
internal static class Printable
{
    /// <summary>Longer ones are cut by <see cref="Quote"/>.</summary>
    private const int LongestQuoted = 100;

    /// <summary>On one line. To escape a text twice changes nothing.</summary>
    public static string Of(string text) => Escape(text, isQuoted: false, keepsLines: false);

    /// <summary>As <see cref="Of"/>, with its newlines and tabs.</summary>
    public static string Lines(string text) => Escape(text, isQuoted: false, keepsLines: true);

    /// <summary>In quotes, cut, on one line; a quote and a backslash in it are escaped too, so that it can be read in one way only.</summary>
    public static string Quote(string text)
    {
        if (text.Length <= LongestQuoted)
            return $"\"{Escape(text, isQuoted: true, keepsLines: false)}\"";
        int length = char.IsHighSurrogate(text[LongestQuoted - 1]) ? LongestQuoted - 1 : LongestQuoted;
        return $"\"{Escape(text[..length], isQuoted: true, keepsLines: false)}…\"";
    }

    private static string Escape(string text, bool isQuoted, bool keepsLines)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~') && !(isQuoted && text.AsSpan().ContainsAny('"', '\\')))
            return text;
        StringBuilder result = new(text.Length + 16);
        for (int i = 0; i < text.Length;)
        {
            bool isWhole = Rune.TryGetRuneAt(text, i, out Rune rune);
            ReadOnlySpan<char> units = text.AsSpan(i, isWhole ? rune.Utf16SequenceLength : 1);
            i += units.Length;
            if (isQuoted && units is "\"" or "\\")
                result.Append('\\').Append(units);
            else if (isWhole && (IsSeen(rune) || (keepsLines && units is "\n" or "\t")))
                result.Append(units);
            else
                AppendEscapes(result, units);
        }
        return result.ToString();
    }

    private static void AppendEscapes(StringBuilder result, ReadOnlySpan<char> units)
    {
        foreach (char unit in units)
            result.Append(CultureInfo.InvariantCulture, $"\\u{(int)unit:X4}");
    }

    private static bool IsSeen(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate => false,
        UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => false,
        UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned => false,
        // Letters and marks without a shape: Default_Ignorable_Code_Point of DerivedCoreProperties.txt that are no format
        // characters. Not the variation selectors, which are part of many emoji.
        _ => rune.Value is not (0x034F or 0x115F or 0x1160 or 0x17B4 or 0x17B5 or 0x3164 or 0xFFA0),
    };
}
