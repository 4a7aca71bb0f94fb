using System.Globalization;
using System.Text;
using ThreadExporter.Text;
using ThreadExporter.Web.Pages;

namespace ThreadExporter.Top;

/// <summary>
/// Untrusted text on a terminal. Beyond what <see cref="Printable"/> escapes, terminals draw combining marks into the cell before, and some
/// reorder a line that contains right-to-left letters; so these are escaped, too, and each character is one or two cells wide.
/// </summary>
internal static class ScreenText
{
    /// <summary>At the end of a text that was cut: a character that every terminal has.</summary>
    private const char CutMark = '~';

    // Starts and ends of the ranges that terminals draw in two cells: East Asian Width W and F (Unicode Standard Annex #11), and emoji.
    private static readonly (int First, int Last)[] Wide =
    [
        (0x1100, 0x115F), (0x231A, 0x231B), (0x2329, 0x232A), (0x23E9, 0x23EC), (0x23F0, 0x23F0), (0x23F3, 0x23F3), (0x25FD, 0x25FE), (0x2614, 0x2615),
        (0x2648, 0x2653), (0x267F, 0x267F), (0x2693, 0x2693), (0x26A1, 0x26A1), (0x26AA, 0x26AB), (0x26BD, 0x26BE), (0x26C4, 0x26C5), (0x26CE, 0x26CE),
        (0x26D4, 0x26D4), (0x26EA, 0x26EA), (0x26F2, 0x26F3), (0x26F5, 0x26F5), (0x26FA, 0x26FA), (0x26FD, 0x26FD), (0x2705, 0x2705), (0x270A, 0x270B),
        (0x2728, 0x2728), (0x274C, 0x274C), (0x274E, 0x274E), (0x2753, 0x2755), (0x2757, 0x2757), (0x2795, 0x2797), (0x27B0, 0x27B0), (0x27BF, 0x27BF),
        (0x2B1B, 0x2B1C), (0x2B50, 0x2B50), (0x2B55, 0x2B55), (0x2E80, 0x303E), (0x3041, 0xA4CF), (0xA960, 0xA97F), (0xAC00, 0xD7A3), (0xF900, 0xFAFF),
        (0xFE10, 0xFE19), (0xFE30, 0xFE6F), (0xFF00, 0xFF60), (0xFFE0, 0xFFE6), (0x16FE0, 0x1B2FF), (0x1F004, 0x1F004), (0x1F0CF, 0x1F0CF),
        (0x1F18E, 0x1F18E), (0x1F191, 0x1F19A), (0x1F200, 0x1F320), (0x1F32D, 0x1F64F), (0x1F680, 0x1F6FF), (0x1F7E0, 0x1F7EB), (0x1F90C, 0x1F9FF),
        (0x1FA70, 0x1FAFF), (0x20000, 0x3FFFD),
    ];

    // Blocks of right-to-left scripts (Unicode's Bidi_Class R and AL).
    private static readonly (int First, int Last)[] RightToLeft = [(0x0590, 0x08FF), (0xFB1D, 0xFDFF), (0xFE70, 0xFEFF), (0x10800, 0x10FFF), (0x1E800, 0x1EFFF)];

    /// <summary>Escapes to one line.</summary>
    /// <param name="text">Untrusted.</param>
    /// <param name="isUtf8">False: the terminal can show ASCII only.</param>
    public static string Of(string text, bool isUtf8)
    {
        string printable = Printable.Of(text);
        if (!printable.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            return printable;
        StringBuilder result = new();
        foreach (Rune rune in printable.EnumerateRunes())
        {
            if (rune.IsAscii || (isUtf8 && !IsIn(RightToLeft, rune) && Rune.GetUnicodeCategory(rune)
                is not (UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.SpacingCombiningMark)))
            {
                result.Append(rune.ToString());
                continue;
            }
            foreach (char unit in rune.ToString())
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
                Reason = Safe(t.Reason), Role = t.Role is null ? null : new HotRoleResponse(Safe(t.Role.Name), Safe(t.Role.Text), t.Role.Source is null ? null : Safe(t.Role.Source)),
            })],
            Processes = [.. response.Processes.Select(p => p with { Name = Safe(p.Name), Exited = [.. p.Exited.Select(e => e with { Name = Safe(e.Name) })] })],
        };

        string Safe(string text) => Of(text, isUtf8);
    }

    /// <summary>Cells of an escaped text.</summary>
    public static int WidthOf(ReadOnlySpan<char> text)
    {
        if (!text.ContainsAnyExceptInRange(' ', '~'))
            return text.Length;
        int width = 0;
        foreach (Rune rune in text.EnumerateRunes())
            width += WidthOf(rune);
        return width;
    }

    /// <summary>At most so many cells of an escaped text.</summary>
    public static string Cut(string text, int width)
    {
        if (WidthOf(text) <= width)
            return text;
        (int used, int length) = (0, 0);
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (used + WidthOf(rune) > width - 1)
                break;
            used += WidthOf(rune);
            length += rune.Utf16SequenceLength;
        }
        return width <= 0 ? "" : text[..length] + CutMark;
    }

    /// <summary>Exactly so many cells: cut, or with blanks behind or before it.</summary>
    public static string Fit(string text, int width, bool isRight = false)
    {
        string cut = Cut(text, width);
        string blanks = new(' ', Math.Max(0, width - WidthOf(cut)));
        return isRight ? blanks + cut : cut + blanks;
    }

    /// <summary>Lines of at most so many cells, broken at blanks where possible.</summary>
    public static IEnumerable<string> Wrap(string text, int width)
    {
        width = Math.Max(1, width);
        string line = "";
        foreach (string word in text.Split(' '))
        {
            if (line.Length > 0 && WidthOf(line) + 1 + WidthOf(word) > width)
            {
                yield return line;
                line = word;
            }
            else
            {
                line = line.Length == 0 ? word : $"{line} {word}";
            }
        }
        yield return Cut(line, width);
    }

    private static int WidthOf(Rune rune) => rune.Value >= 0x1100 && IsIn(Wide, rune) ? 2 : 1;

    private static bool IsIn((int First, int Last)[] ranges, Rune rune)
    {
        foreach ((int first, int last) in ranges)
        {
            if (rune.Value >= first && rune.Value <= last)
                return true;
        }
        return false;
    }
}
