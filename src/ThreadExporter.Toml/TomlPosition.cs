using Tomlyn.Syntax;

namespace ThreadExporter.Toml;

/// <summary>A position in a TOML text: line and column, both from 1. The column counts Unicode characters, including a byte order mark.</summary>
public readonly record struct TomlPosition(int Line, int Column)
{
    /// <summary>The start of a syntax node.</summary>
    internal static TomlPosition Of(SyntaxNode node) => new(node.Span.Start.Line + 1, node.Span.Start.Column + 1);

    /// <summary>The position after <paramref name="text"/>, which starts at this position.</summary>
    internal TomlPosition After(ReadOnlySpan<char> text)
    {
        int lines = text.Count('\n');
        int column = lines == 0 ? Column : 1;
        foreach (char c in text[(text.LastIndexOf('\n') + 1)..])
            column += char.IsLowSurrogate(c) ? 0 : 1;
        return new(Line + lines, column);
    }
}
