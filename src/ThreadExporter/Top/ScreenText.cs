using System.Globalization;
using System.Text;
using ThreadExporter.Text;
using ThreadExporter.Web.Pages;

namespace ThreadExporter.Top;

/// <summary>
/// Untrusted text on a terminal. Beyond what <see cref="Printable"/> escapes: terminals draw combining marks into the cell before, some reorder a
/// line that contains right-to-left letters, and they do not agree on which characters take two cells. So only letters and signs that take one
/// cell everywhere stay as they are, and a text has as many cells as it has characters.
/// </summary>
internal static class ScreenText
{
    /// <summary>At the end of a text that was cut: a character that every terminal has.</summary>
    private const char CutMark = '~';

    /// <summary>Escapes to one line of characters that take one cell each.</summary>
    /// <param name="text">Untrusted.</param>
    /// <param name="isUtf8">False: the terminal can show ASCII only.</param>
    public static string Of(string text, bool isUtf8)
    {
        string printable = Printable.Of(text);
        if (!printable.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            return printable;
        StringBuilder result = new();
        foreach (char unit in printable)
        {
            if (unit is >= ' ' and <= '~' || (isUtf8 && IsNarrow(unit)))
                result.Append(unit);
            else
                result.Append(CultureInfo.InvariantCulture, $"\\u{(int)unit:X4}");
        }
        return result.ToString();
    }

    /// <summary>The same response with all its texts escaped.</summary>
    public static HotThreadsResponse Of(HotThreadsResponse response, bool isUtf8)
    {
        return response with
        {
            Host = response.Host is null ? null : response.Host with { Neighbours = [.. response.Host.Neighbours.Select(n => n with { Name = Safe(n.Name ?? "") })] },
            Threads = [.. response.Threads.Select(t => t with
            {
                Name = Safe(t.Name), Process = Safe(t.Process), Daemon = Safe(t.Daemon), Filter = Safe(t.Filter), State = Safe(t.State), Verdict = Safe(t.Verdict),
                Reason = Safe(t.Reason), Role = t.Role is null ? null : new HotRoleResponse(Safe(t.Role.Name), Prose(t.Role.Text), t.Role.Source is null ? null : Prose(t.Role.Source)),
            })],
            Processes = [.. response.Processes.Select(p => p with { Name = Safe(p.Name), Exited = [.. p.Exited.Select(e => e with { Name = Safe(e.Name) })] })],
        };

        string Safe(string text) => Of(text, isUtf8);
        // An administrator's own role may be in any language, and nothing stands beside its text.
        string Prose(string text) => isUtf8 ? Printable.Of(text) : Of(text, isUtf8: false);
    }

    /// <summary>At most so many characters of an escaped text.</summary>
    public static string Cut(string text, int width) => text.Length <= width ? text : width <= 0 ? "" : text[..(width - 1)] + CutMark;

    /// <summary>Exactly so many: cut, or with blanks behind or before it.</summary>
    public static string Fit(string text, int width, bool isRight = false) => isRight ? Cut(text, width).PadLeft(width) : Cut(text, width).PadRight(width);

    // Latin, Greek, Cyrillic, Armenian and their extensions, and common punctuation: East Asian Width N, Na or A, never W or F.
    private static bool IsNarrow(char unit) => (unit is < '\u0590' or (>= '\u1E00' and < '\u2000') or (>= '\u2010' and <= '\u2027') or '\u20AC')
        && CharUnicodeInfo.GetUnicodeCategory(unit) is not (UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark);
}
