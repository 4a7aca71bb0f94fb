using System.Runtime.CompilerServices;

namespace ThreadExporter.Tests.Support;

/// <summary>Paths in the source tree that the tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Path.GetFullPath(Path.Combine(ThisFolder(), "../../.."));

    public static string File(string relative) => Path.Combine(Root, relative);

    private static string ThisFolder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
