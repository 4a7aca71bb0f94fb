using Spectre.Console;

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

/// <summary>Texts with a tone, as Spectre.Console draws them. Never as its markup: a name may contain brackets.</summary>
internal static class Tones
{
    /// <summary>A line of text; more is added to it.</summary>
    public static Paragraph Line(string text, Tone tone = Tone.Plain) => new Paragraph().Add(text, tone);

    /// <summary>Adds text with a tone of its own to a line.</summary>
    public static Paragraph Add(this Paragraph line, string text, Tone tone = Tone.Plain) => line.Append(text, StyleOf(tone));

    /// <summary>A cell of a table.</summary>
    public static Paragraph Cell(string text, Tone tone = Tone.Plain, bool isSelected = false) => new(text, StyleOf(tone, isSelected));

    private static Style StyleOf(Tone tone, bool isSelected = false)
    {
        Decoration reverse = isSelected ? Decoration.Invert : Decoration.None;
        return tone switch
        {
            Tone.Faint => new Style(decoration: Decoration.Dim | reverse),
            Tone.Strong => new Style(decoration: Decoration.Bold | reverse),
            Tone.Warning => new Style(Color.Olive, decoration: reverse),
            Tone.Alarm => new Style(Color.Maroon, decoration: Decoration.Bold | reverse),
            Tone.Head => new Style(decoration: Decoration.Invert),
            _ => new Style(decoration: reverse),
        };
    }
}
