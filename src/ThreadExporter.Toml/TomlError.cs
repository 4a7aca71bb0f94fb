namespace ThreadExporter.Toml;

/// <summary>One fault of a TOML text. The message quotes keys but never a value: a value may be a secret. Keys are as they stand, so escape it for a terminal.</summary>
public sealed record TomlError(TomlPosition Position, string Message);
