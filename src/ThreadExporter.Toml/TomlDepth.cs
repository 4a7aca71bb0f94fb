using System.Globalization;

namespace ThreadExporter.Toml;

/// <summary>The limit on nesting, which keeps hostile input from exhausting the stack.</summary>
public static class TomlDepth
{
    /// <summary>The deepest accepted nesting of tables and arrays, by brackets, headers or dotted keys.</summary>
    public const int Max = 64;

    internal static string Message { get; } =
        string.Create(CultureInfo.InvariantCulture, $"nested too deeply: more than {Max} levels of tables and arrays");
}
