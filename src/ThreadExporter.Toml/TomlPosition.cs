namespace ThreadExporter.Toml;

/// <summary>A place in a TOML text: line and column, both from 1; the column counts Unicode characters, a byte order mark included.</summary>
public readonly record struct TomlPosition(int Line, int Column)
{
    /// <summary>The place behind <paramref name="text"/>, which begins here.</summary>
    internal TomlPosition After(ReadOnlySpan<char> text)
    {
        int lines = text.Count('\n');
        int column = lines == 0 ? Column : 1;
        foreach (char c in text[(text.LastIndexOf('\n') + 1)..])
            column += char.IsLowSurrogate(c) ? 0 : 1;
        return new(Line + lines, column);
    }
}
