using System.Text.RegularExpressions;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Packaging;

/// <summary>The parts of the mdoc(7) source of a manual page that the tests use.</summary>
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

    /// <summary>The contents of the <c>.Bd -literal</c> blocks, as displayed.</summary>
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

    /// <summary>The lines after an item, up to the next one.</summary>
    public string[] Body(string item)
    {
        string[] lines = [.. Lines.SkipWhile(l => l != item).Skip(1).TakeWhile(l => !l.StartsWith(".It ", StringComparison.Ordinal) && l != ".El")];
        Assert.NotEmpty(lines);
        return lines;
    }

    /// <summary>Resolves the escapes that the pages use.</summary>
    public static string Plain(string text) =>
        text.Replace("\\(dq", "\"", StringComparison.Ordinal).Replace("\\&", "", StringComparison.Ordinal).Replace("\\e", "\\", StringComparison.Ordinal);

    [GeneratedRegex(@"^\.Bd -literal.*\n((?s:.*?))^\.Ed$", RegexOptions.Multiline)]
    private static partial Regex Literal();
}
