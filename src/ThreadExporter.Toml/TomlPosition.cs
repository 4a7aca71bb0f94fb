namespace ThreadExporter.Toml;

/// <summary>A place in a TOML text: line and column, both from 1; the column counts UTF-16 units.</summary>
public readonly record struct TomlPosition(int Line, int Column);
