using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Queries;

/// <summary>The fenced blocks of the docs, by their language. A promql block contains one query.</summary>
internal static class MarkdownBlocks
{
    /// <summary>README.md and docs/*.md, relative to the tree.</summary>
    public static string[] Files { get; } = ["README.md", .. Directory.EnumerateFiles(Repository.File("docs"), "*.md").Select(f => $"docs/{Path.GetFileName(f)}").Order(StringComparer.Ordinal)];

    public static IEnumerable<(string Place, string Text)> Read(string file, string language) =>
        Lines(file, language).Where(l => l.Block > 0).GroupBy(l => l.Block, (block, lines) => ($"{file}:{block}", string.Join('\n', lines.Select(l => l.Text))));

    /// <summary>The text outside of these blocks.</summary>
    public static IEnumerable<string> OtherLines(string file, string language) => Lines(file, language).Where(l => l.Block == 0).Select(l => l.Text);

    // Each line with the number of the line that opened its block; 0 outside of one.
    private static IEnumerable<(int Block, string Text)> Lines(string file, string language)
    {
        (int block, int number) = (0, 0);
        foreach (string line in File.ReadLines(Repository.File(file)))
        {
            number++;
            if (block == 0 && line == $"```{language}")
                block = number;
            else if (block > 0 && line == "```")
                block = 0;
            else
                yield return (block, line);
        }
    }
}
