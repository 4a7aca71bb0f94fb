using System.Text.RegularExpressions;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Packaging;

/// <summary>The mdoc(7) source of a manual page, as far as the tests read it.</summary>
internal sealed partial class ManPage
{
    private ManPage(string file)
    {
        Source = File.ReadAllText(file);
        Lines = Source.Split('\n');
    }

    public static ManPage Command { get; } = new(Repository.File("packaging/man/thread-exporter.8"));

    public static ManPage ConfigFile { get; } = new(Repository.File("packaging/man/thread-exporter.toml.5"));

    public string Source { get; }

    public string[] Lines { get; }

    /// <summary>What stands in the <c>.Bd -literal</c> blocks, as a reader sees it.</summary>
    public IEnumerable<string> Examples => Literal().Matches(Source).Select(m => Plain(m.Groups[1].Value));

    /// <summary>The lines of one section, without its heading.</summary>
    public string[] Section(string name)
    {
        string[] lines = [.. Lines.SkipWhile(l => l != $".Sh {name}").Skip(1).TakeWhile(l => !l.StartsWith(".Sh ", StringComparison.Ordinal))];
        Assert.NotEmpty(lines);
        return lines;
    }

    /// <summary>The heads of a section's items: what follows <c>.It MACRO</c>.</summary>
    public string[] Items(string section, string macro) =>
        [.. Section(section).Where(l => l.StartsWith($".It {macro} ", StringComparison.Ordinal)).Select(l => l[(macro.Length + 5)..])];

    /// <summary>What follows the item that begins so, up to the next.</summary>
    public string[] Body(string item)
    {
        string[] lines = [.. Lines.SkipWhile(l => l != item).Skip(1).TakeWhile(l => !l.StartsWith(".It ", StringComparison.Ordinal) && l != ".El")];
        Assert.NotEmpty(lines);
        return lines;
    }

    /// <summary>Undoes the escapes that the pages use.</summary>
    public static string Plain(string text) =>
        text.Replace("\\(dq", "\"", StringComparison.Ordinal).Replace("\\&", "", StringComparison.Ordinal).Replace("\\e", "\\", StringComparison.Ordinal);

    [GeneratedRegex(@"^\.Bd -literal.*\n((?s:.*?))^\.Ed$", RegexOptions.Multiline)]
    private static partial Regex Literal();
}
