using System.Text;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ThreadExporter.Top;

/// <summary>Lines of text from what Spectre.Console draws: for a terminal with control sequences, or plain.</summary>
internal sealed class ScreenWriter
{
    private readonly StringBuilder _text = new();
    private readonly IAnsiConsole _console;

    /// <param name="isTerminal">False: without control sequences.</param>
    /// <param name="hasColor">False: only bold, faint and reverse.</param>
    public ScreenWriter(bool isTerminal, bool hasColor) => _console = AnsiConsole.Create(new AnsiConsoleSettings
    {
        Ansi = isTerminal ? AnsiSupport.Yes : AnsiSupport.No,
        // Only the colours that every terminal's user has chosen to be readable.
        ColorSystem = isTerminal && hasColor ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
        Interactive = InteractionSupport.No,
        Out = new AnsiConsoleOutput(new StringWriter(_text) { NewLine = "\n" }),
    });

    /// <summary>Draws one below the other.</summary>
    /// <param name="content">Texts and tables.</param>
    /// <param name="columns">Cells of a line.</param>
    public string[] Lines(IEnumerable<IRenderable> content, int columns)
    {
        _text.Clear();
        _console.Profile.Width = columns;
        _console.Write(new Rows(content));
        return _text.ToString().TrimEnd('\n').Split('\n');
    }
}
