using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Queries;

/// <summary>The queries in the docs: fenced blocks marked promql, one query each.</summary>
internal static class PromqlBlocks
{
    public static IEnumerable<(string Place, string Text)> Read(string file) =>
        Lines(Repository.File(file)).Where(l => l.Block.Length > 0).GroupBy(l => l.Block, (block, lines) => ($"{file}:{block}", string.Join('\n', lines.Select(l => l.Text))));

    /// <summary>What stands outside of these blocks.</summary>
    public static IEnumerable<string> OtherLines(string path) => Lines(path).Where(l => l.Block.Length == 0).Select(l => l.Text);

    /// <summary>Each line with the number of the line that opened its promql block; empty outside of one.</summary>
    private static IEnumerable<(string Block, string Text)> Lines(string path)
    {
        string block = "";
        int number = 0;
        foreach (string line in System.IO.File.Exists(path) ? System.IO.File.ReadAllLines(path) : [])
        {
            number++;
            if (line == "```promql")
                block = $"{number}";
            else if (block.Length > 0 && line == "```")
                block = "";
            else
                yield return (block, line);
        }
    }
}
