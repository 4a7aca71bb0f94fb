namespace ThreadExporter.Toml;

/// <summary>One fault of a TOML text. The message quotes keys but never a value: a value may be a secret.</summary>
public sealed record TomlError(TomlPosition Position, string Message);
