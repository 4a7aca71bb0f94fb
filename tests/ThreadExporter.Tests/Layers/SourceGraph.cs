using System.Text.RegularExpressions;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Layers;

/// <summary>A source file with what it declares and uses. Comments and the text of strings are ignored.</summary>
/// <param name="Path">Relative to <c>src</c>.</param>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Code">The text without comments and string contents.</param>
internal sealed record SourceFile(string Path, string Namespace, string Code)
{
    /// <summary>The project, or for the daemon the folder below <c>src/ThreadExporter</c>.</summary>
    public string Folder
    {
        get
        {
            string folder = System.IO.Path.GetDirectoryName(Path)!.Replace('\\', '/');
            return folder.StartsWith("ThreadExporter/", StringComparison.Ordinal) ? folder["ThreadExporter/".Length..] : folder;
        }
    }
}

/// <summary>Which source file uses types of which other, by the names of the types and the namespaces that are visible.</summary>
internal sealed partial class SourceGraph
{
    private readonly Dictionary<SourceFile, HashSet<SourceFile>> _uses = [];

    public SourceGraph()
    {
        string root = Repository.File("src");
        SourceFile[] files =
        [
            .. Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
                .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .Select(f => (Path: Path.GetRelativePath(root, f), Code: WithoutText(File.ReadAllText(f))))
                .Select(f => new SourceFile(f.Path, NamespaceLine().Match(f.Code).Groups[1].Value, f.Code)),
        ];
        Dictionary<string, List<SourceFile>> declared = [];
        foreach (SourceFile file in files)
        {
            foreach (Match type in TypeDeclaration().Matches(file.Code))
            {
                if (!declared.TryGetValue(type.Groups[1].Value, out List<SourceFile>? places))
                    declared.Add(type.Groups[1].Value, places = []);
                places.Add(file);
            }
        }
        foreach (SourceFile file in files)
        {
            HashSet<string> visible = [.. UsingLine().Matches(file.Code).Select(m => m.Groups[1].Value)];
            for (string space = file.Namespace; space.Length > 0; space = space[..Math.Max(0, space.LastIndexOf('.'))])
                visible.Add(space);
            HashSet<SourceFile> uses = [];
            foreach (Match name in Name().Matches(file.Code))
            {
                foreach (SourceFile place in declared.GetValueOrDefault(name.Value) ?? [])
                {
                    if (place != file && visible.Contains(place.Namespace))
                        uses.Add(place);
                }
            }
            _uses.Add(file, uses);
        }
    }

    public IEnumerable<SourceFile> Files => _uses.Keys;

    public IEnumerable<SourceFile> UsedBy(SourceFile file) => _uses[file];

    /// <summary>Groups of more than one file that use each other, directly or through others.</summary>
    public IEnumerable<SourceFile[]> Circles()
    {
        HashSet<SourceFile> left = [.. _uses.Keys];
        while (left.Count > 0)
        {
            SourceFile file = left.First();
            SourceFile[] circle = [.. Reachable(file).Where(other => Reachable(other).Contains(file)).Append(file).Distinct()];
            left.ExceptWith(circle);
            if (circle.Length > 1)
                yield return circle;
        }
    }

    private HashSet<SourceFile> Reachable(SourceFile from)
    {
        HashSet<SourceFile> seen = [];
        Stack<SourceFile> next = new([from]);
        while (next.TryPop(out SourceFile? file))
        {
            foreach (SourceFile used in _uses[file])
            {
                if (seen.Add(used))
                    next.Push(used);
            }
        }
        return seen;
    }

    // Of an interpolated string the expressions stay.
    private static string WithoutText(string code)
    {
        code = Comment().Replace(code, "");
        code = RawString().Replace(code, m => Expressions(m.Value));
        return QuotedString().Replace(code, m => m.Value.StartsWith('$') ? Expressions(m.Value) : "\"\"");
    }

    private static string Expressions(string text) => string.Join(' ', Expression().Matches(text).Select(m => m.Groups[1].Value));

    [GeneratedRegex(@"^\s*//.*$|(?<=[;{},\s])// .*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex("\"\"\"[\\s\\S]*?\"\"\"")]
    private static partial Regex RawString();

    [GeneratedRegex("\\$?@?\"(?:[^\"\\\\\\n]|\\\\.)*\"")]
    private static partial Regex QuotedString();

    [GeneratedRegex(@"\{([^{}]*)\}")]
    private static partial Regex Expression();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(@"^using (?:static )?(ThreadExporter[\w.]*);", RegexOptions.Multiline)]
    private static partial Regex UsingLine();

    [GeneratedRegex(@"^(?:public|internal) (?:static |sealed |abstract |readonly |unsafe |partial |ref )*(?:class|struct|enum|interface|record struct|record class|record|delegate \S+) (\w+)", RegexOptions.Multiline)]
    private static partial Regex TypeDeclaration();

    [GeneratedRegex(@"(?<![\w.])[A-Z]\w*")]
    private static partial Regex Name();
}
