using System.Globalization;
using System.Text;

namespace ThreadExporter.Top;

/// <summary>What a piece of text means; a terminal shows it by colour or weight.</summary>
internal enum Tone
{
    Plain,
    /// <summary>Of little interest.</summary>
    Faint,
    Strong,
    /// <summary>Something keeps a thread from running.</summary>
    Warning,
    /// <summary>A whole core.</summary>
    Alarm,
    /// <summary>The line above a table.</summary>
    Head,
}

/// <summary>One line of the screen: pieces of escaped text, each with its tone.</summary>
internal sealed class ScreenLine
{
    private readonly List<(string Text, Tone Tone)> _pieces = [];

    /// <summary>Shown in reverse up to the right border.</summary>
    public bool IsSelected { get; init; }

    /// <summary>In cells.</summary>
    public int Width { get; private set; }

    public static ScreenLine Of(string text, Tone tone = Tone.Plain) => new ScreenLine().Add(text, tone);

    public ScreenLine Add(string text, Tone tone = Tone.Plain)
    {
        _pieces.Add((text, tone));
        Width += ScreenText.WidthOf(text);
        return this;
    }

    /// <summary>The text alone, without blanks at its end.</summary>
    public override string ToString() => string.Concat(_pieces.Select(p => p.Text)).TrimEnd();

    /// <summary>Writes it with control sequences (ECMA-48), up to the right border of the screen.</summary>
    public void Write(StringBuilder output, int columns, bool hasColor)
    {
        int used = 0;
        bool isExact = true;
        foreach ((string text, Tone tone) in _pieces)
        {
            string cut = ScreenText.Cut(text, columns - used);
            if (cut.Length == 0)
                continue;
            // Terminals do not agree on how wide every character is: what follows one in doubt gets its column.
            if (!isExact)
                output.Append(CultureInfo.InvariantCulture, $"\e[{used + 1}G");
            string sequence = (IsSelected ? "7;" : "") + Sequence(tone, hasColor);
            output.Append(CultureInfo.InvariantCulture, $"\e[0;{sequence.TrimEnd(';')}m{cut}");
            used += ScreenText.WidthOf(cut);
            isExact = !cut.AsSpan().ContainsAnyExceptInRange(' ', '~');
        }
        // Not at the right border, where it would erase the last character.
        if (used < columns)
            output.Append(IsSelected ? $"\e[0;7m{new string(' ', columns - used)}\e[0m" : "\e[0m\e[K");
    }

    // Only the colours that every terminal's user has chosen to be readable.
    private static string Sequence(Tone tone, bool hasColor) => tone switch
    {
        Tone.Faint => "2",
        Tone.Strong => "1",
        Tone.Warning => hasColor ? "33" : "1",
        Tone.Alarm => hasColor ? "1;31" : "1",
        Tone.Head => "7",
        _ => "",
    };
}
