using System.Collections.Immutable;
using ThreadExporter.Configuration;
using ThreadExporter.Toml;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ThreadExporter.Commands;

/// <summary>A text of the file and its line.</summary>
internal readonly record struct SourceText(string Value, int Line);

/// <summary>An item of <c>process_names</c>. A list that is null is not in the file, which is not the same as an empty one.</summary>
/// <param name="Position">Where it starts.</param>
/// <param name="Name">The template of the group name; null: not given.</param>
/// <param name="UnknownKeys">Keys that process-exporter ignores.</param>
internal sealed record ProcessMatcher(TomlPosition Position, SourceText? Name, ImmutableArray<SourceText> UnknownKeys)
{
    public ImmutableArray<SourceText>? Comm { get; init; }
    public ImmutableArray<SourceText>? Exe { get; init; }
    public ImmutableArray<SourceText>? Cmdline { get; init; }
}

/// <summary>A configuration of process-exporter: what the key <c>process_names</c> of its file holds.</summary>
/// <param name="Matchers">In the order of the file: there, too, the first one that matches owns the process.</param>
/// <param name="UnknownKeys">Keys beside <c>process_names</c>, which process-exporter ignores.</param>
/// <param name="SecondDocument">The line of a second YAML document, which process-exporter ignores; 0: there is none.</param>
internal sealed record ProcessExporterConfig(ImmutableArray<ProcessMatcher> Matchers, ImmutableArray<SourceText> UnknownKeys, int SecondDocument)
{
    /// <exception cref="InvalidYamlException">process-exporter would not start with this file either, or it has no <c>process_names</c>.</exception>
    public static ProcessExporterConfig Read(ReadOnlySpan<byte> content)
    {
        IReadOnlyList<YamlNode> documents = YamlTree.Read(content);
        const string Advice = "write process_names: and a list of matchers";
        if (documents.Count == 0)
            throw new InvalidYamlException(new(1, 1), $"is empty: {Advice}");
        if (documents[0] is not YamlMappingNode root)
            throw Error(documents[0], $"must be a mapping, not {TypeOf(documents[0])}: {Advice}");
        YamlNode list = root.Children.FirstOrDefault(c => KeyOf(c) == "process_names").Value
            ?? throw Error(root, $"has no key process_names, so it is not a configuration of process-exporter: {Advice}");
        if (list is not YamlSequenceNode && !IsNull(list))
            throw Error(list, $"process_names must be a list of matchers, not {TypeOf(list)}: begin each with \"- \"");
        Reader reader = new();
        return new(
            list is YamlSequenceNode items ? [.. items.Select(reader.Matcher)] : [],
            Unknown(root, ["process_names"]),
            documents.Count > 1 ? (int)documents[1].Start.Line : 0);
    }

    private static InvalidYamlException Error(YamlNode node, string message) => new(YamlTree.PositionOf(node.Start), message);

    private static string KeyOf(KeyValuePair<YamlNode, YamlNode> entry) => ((YamlScalarNode)entry.Key).Value ?? "";

    private static ImmutableArray<SourceText> Unknown(YamlMappingNode node, ImmutableArray<string> known) =>
        [.. node.Children.Where(c => !known.Contains(KeyOf(c))).Select(c => new SourceText(KeyOf(c), (int)c.Key.Start.Line))];

    private static bool IsNull(YamlNode node) =>
        node is YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "~" or "null" or "Null" or "NULL" };

    private static string TypeOf(YamlNode node) => node switch
    {
        YamlMappingNode => "a mapping",
        YamlSequenceNode => "a list",
        _ => IsNull(node) ? "empty" : "a text",
    };

    private sealed class Reader
    {
        private static readonly ImmutableArray<string> Keys = ["name", "comm", "exe", "cmdline"];
        private long _length;

        public ProcessMatcher Matcher(YamlNode node)
        {
            if (node is not YamlMappingNode mapping)
                throw Error(node, $"a matcher must be a mapping, not {TypeOf(node)}: write comm:, exe: or cmdline: and a list");
            Dictionary<string, YamlNode> values = mapping.Children.ToDictionary(KeyOf, c => c.Value, StringComparer.Ordinal);
            if (mapping.Children.FirstOrDefault(c => KeyOf(c) == "<<").Key is { } merge)
                throw Error(merge, "the merge key << is not supported: write the keys out");
            ProcessMatcher matcher = new(YamlTree.PositionOf(mapping.Start), Name(values.GetValueOrDefault("name")), Unknown(mapping, Keys))
            {
                Comm = List("comm", values),
                Exe = List("exe", values),
                Cmdline = List("cmdline", values),
            };
            if ((matcher.Comm ?? matcher.Exe ?? matcher.Cmdline) is null)
            {
                string hint = matcher.UnknownKeys.Select(k => SpellingSuggestion.Hint(k.Value, Keys)).FirstOrDefault(h => h.Length > 0) ?? "";
                throw Error(node, $"this matcher has none of comm, exe and cmdline: add one{hint}");
            }
            return matcher;
        }

        private SourceText? Name(YamlNode? node)
        {
            if (node is null || IsNull(node))
                return null;
            SourceText name = Text(node, "name must be a text");
            if (name.Value.Length == 0)
                return null;
            return GroupNameTemplate.GetError(name.Value) is { } error ? throw Error(node, $"name {error}") : name;
        }

        private ImmutableArray<SourceText>? List(string key, Dictionary<string, YamlNode> values)
        {
            if (!values.TryGetValue(key, out YamlNode? node) || IsNull(node))
                return null;
            if (node is not YamlSequenceNode list)
                throw Error(node, $"{key} must be a list, not {TypeOf(node)}: write each item on its own line after \"- \"");
            return [.. list.Select(item => Text(item, $"{key} must be a list of texts"))];
        }

        private SourceText Text(YamlNode node, string rule)
        {
            if (node is not YamlScalarNode scalar)
                throw Error(node, $"{rule}, not {TypeOf(node)}: write it in quotes");
            string value = scalar.Value ?? "";
            // Aliases make much of a short file.
            if ((_length += value.Length + 1) > TomlDocument.MaxBytes)
                throw Error(node, FormattableString.Invariant($"the texts up to here are longer than {TomlDocument.MaxBytes} characters: split the file, or use fewer aliases"));
            return new(value, (int)node.Start.Line);
        }
    }
}
