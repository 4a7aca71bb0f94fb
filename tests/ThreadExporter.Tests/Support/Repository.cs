using System.Runtime.CompilerServices;
using System.Xml.Linq;

namespace ThreadExporter.Tests.Support;

/// <summary>Paths in the source tree that the tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Path.GetFullPath(Path.Combine(ThisFolder(), "../../.."));

    /// <summary>That of the program, from the one place where it is written.</summary>
    public static string Version { get; } = XDocument.Load(File("Directory.Build.props")).Descendants("Version").Single().Value;

    public static string File(string relative) => Path.Combine(Root, relative);

    private static string ThisFolder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
