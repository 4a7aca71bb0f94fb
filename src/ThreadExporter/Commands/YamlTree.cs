using System.Text.Unicode;
using ThreadExporter.Text;
using ThreadExporter.Toml;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace ThreadExporter.Commands;

/// <summary>A file is not a configuration of process-exporter.</summary>
internal sealed class InvalidYamlException(TomlPosition position, string message) : Exception(message)
{
    public TomlPosition Position { get; } = position;
}

/// <summary>
/// Reads YAML into a tree. The file may come from anywhere, so its events are checked first: the library compares keys by their whole content,
/// which takes exponential time when a key is made of aliases, and it recurses into what is nested.
/// </summary>
internal static class YamlTree
{
    private const int MaxDepth = 16;

    /// <summary>The roots of the documents in the text.</summary>
    /// <exception cref="InvalidYamlException">It is not YAML, or uses what no configuration of process-exporter needs.</exception>
    public static IReadOnlyList<YamlNode> Read(ReadOnlySpan<byte> content)
    {
        string text = Decode(content);
        try
        {
            CheckEvents(text);
            YamlStream stream = new();
            stream.Load(new StringReader(text));
            return [.. stream.Documents.Select(d => d.RootNode)];
        }
        catch (YamlException e)
        {
            // The library reports a tab as something else, at another place.
            string[] lines = text.Split('\n');
            int tab = Array.FindIndex(lines, 0, (int)Math.Clamp(e.End.Line + 1, 0, lines.Length), l => l.AsSpan(0, l.Length - l.TrimStart().Length).Contains('\t'));
            throw tab >= 0
                ? new InvalidYamlException(new(tab + 1, 1), "is not valid YAML: a line is indented with a tab: write spaces")
                : new InvalidYamlException(PositionOf(e.Start), $"is not valid YAML: {char.ToLowerInvariant(e.Message[0])}{e.Message[1..].TrimEnd('.')}: correct it here or in the lines before");
        }
    }

    public static TomlPosition PositionOf(Mark mark) => new((int)mark.Line, (int)mark.Column);

    private static string Decode(ReadOnlySpan<byte> content)
    {
        char[] chars = new char[content.Length];
        if (Utf8.ToUtf16(content, chars, out int read, out int written, replaceInvalidSequences: false) != System.Buffers.OperationStatus.Done)
        {
            ReadOnlySpan<char> before = chars.AsSpan(0, written);
            throw new InvalidYamlException(
                new(before.Count('\n') + 1, written - before.LastIndexOf('\n')), FormattableString.Invariant($"byte 0x{content[read]:X2} is not valid UTF-8 here: save the file as UTF-8"));
        }
        return new string(chars, 0, written).TrimStart('\uFEFF');
    }

    private static void CheckEvents(string text)
    {
        Parser parser = new(new StringReader(text));
        Stack<OpenNode> open = new();
        // Of nodes that are complete: an alias within its own node would have no end.
        HashSet<string> anchors = new(StringComparer.Ordinal);
        while (parser.MoveNext())
        {
            ParsingEvent current = parser.Current!;
            if (current is MappingEnd or SequenceEnd)
            {
                anchors.Add(open.Pop().Anchor);
                continue;
            }
            if (current is not NodeEvent and not AnchorAlias)
                continue;
            if (open.TryPeek(out OpenNode? parent))
                parent.Add(current);
            if (current is AnchorAlias alias && !anchors.Contains(alias.Value.Value))
                throw new InvalidYamlException(PositionOf(current.Start), $"the alias {Printable.Quote(alias.Value.Value)} has no anchor before it: write the value out");
            string anchor = current is NodeEvent { Anchor: { IsEmpty: false } name } ? name.Value : "";
            if (current is Scalar)
                anchors.Add(anchor);
            if (current is MappingStart or SequenceStart)
            {
                if (open.Count == MaxDepth)
                    throw new InvalidYamlException(PositionOf(current.Start), FormattableString.Invariant($"is nested more than {MaxDepth} deep: process_names needs 4 levels"));
                open.Push(new OpenNode(current is MappingStart ? new(StringComparer.Ordinal) : null, anchor));
            }
        }
    }

    /// <param name="Keys">The keys so far; null for a sequence.</param>
    /// <param name="Anchor">Its anchor; empty without one.</param>
    private sealed record OpenNode(Dictionary<string, long>? Keys, string Anchor)
    {
        private bool _isValue;

        public void Add(ParsingEvent child)
        {
            if (Keys is null)
                return;
            _isValue = !_isValue;
            if (!_isValue)
                return;
            if (child is not Scalar key)
                throw new InvalidYamlException(PositionOf(child.Start), "a key must be plain text: write its name");
            if (!Keys.TryAdd(key.Value, key.Start.Line))
            {
                throw new InvalidYamlException(PositionOf(child.Start), FormattableString.Invariant(
                    $"the key {Printable.Quote(key.Value)} is already defined at line {Keys[key.Value]}: remove one of them"));
            }
        }
    }
}
