namespace ThreadExporter.Toml;

/// <summary>
/// One error in a TOML text. The message may quote keys but never a value, which may be a secret. Keys are not escaped: escape the message for a
/// terminal.
/// </summary>
public sealed record TomlError(TomlPosition Position, string Message);
