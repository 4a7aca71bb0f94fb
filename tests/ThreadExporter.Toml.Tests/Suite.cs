namespace ThreadExporter.Toml.Tests;

/// <summary>The official conformance suite: a checkout next to the repository, or in TOML_TEST_DIR.</summary>
internal static class Suite
{
    internal const string WhyAbsent = "the toml-test suite is not here: put a checkout at ../shared/toml-test or set TOML_TEST_DIR";

    internal static string? Root { get; } = Find();

    /// <summary>The TOML files of the 1.0.0 list that start with <paramref name="prefix"/>.</summary>
    internal static List<string> Files(string prefix) =>
        [.. File.ReadLines(Path.Combine(Root!, "files-toml-1.0.0")).Where(f => f.StartsWith(prefix, StringComparison.Ordinal) && f.EndsWith(".toml", StringComparison.Ordinal))];

    internal static byte[] Read(string file) => File.ReadAllBytes(Path.Combine(Root!, file));

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("TOML_TEST_DIR") is { Length: > 0 } named)
            return Directory.Exists(named) ? named : throw new DirectoryNotFoundException($"TOML_TEST_DIR: {named}");
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = Path.Combine(folder.FullName, "shared", "toml-test");
            if (File.Exists(Path.Combine(candidate, "files-toml-1.0.0")))
                return candidate;
        }
        return null;
    }
}
