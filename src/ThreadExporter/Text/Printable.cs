using System.Globalization;
using System.Text;

namespace ThreadExporter.Text;

/// <summary>
/// Escapes untrusted text (names of processes and threads, file names, configuration values, request parameters) for a terminal, the log, a text
/// response or a page. Characters that are not visible as themselves become <c>\u202E</c>, one escape per UTF-16 unit: control and format
/// characters (bidirectional overrides, zero-width characters), line separators, lone surrogates, private-use and unassigned characters, and
/// letters without a shape. JSON and TOML have the same escapes.
/// </summary>
internal static class Printable
{
    /// <summary><see cref="Quote"/> cuts longer texts.</summary>
    private const int LongestQuoted = 100;

    /// <summary>Escapes to one line. Escaping twice changes nothing.</summary>
    public static string Of(string text) => Escape(text, isQuoted: false, keepsLines: false);

    /// <summary>As <see cref="Of"/>, but keeps newlines and tabs.</summary>
    public static string Lines(string text) => Escape(text, isQuoted: false, keepsLines: true);

    /// <summary>In quotes, cut, on one line. Quotes and backslashes are escaped too, so that the result is unambiguous.</summary>
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
            else if (isWhole && (IsVisible(rune) || (keepsLines && units is "\n" or "\t")))
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

    private static bool IsVisible(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate => false,
        UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => false,
        UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned => false,
        // Letters and marks without a shape: Default_Ignorable_Code_Point in DerivedCoreProperties.txt, except format characters (above) and
        // the variation selectors, which are part of many emoji.
        _ => rune.Value is not (0x034F or 0x115F or 0x1160 or 0x17B4 or 0x17B5 or 0x3164 or 0xFFA0),
    };
}
