using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ThreadExporter.Tests.Support;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ThreadExporter.Tests.Packaging;

/// <summary>The documents of packaging/kubernetes.</summary>
internal static partial class Manifests
{
    public static string Folder { get; } = Repository.File("packaging/kubernetes");

    /// <summary>Paths of all files in it.</summary>
    public static string[] Files { get; } =
        [.. Directory.EnumerateFiles(Folder, "*.yaml", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Folder, f)).Order(StringComparer.Ordinal)];

    public static YamlNode[] Read(string file) => Parse(File.ReadAllText(Path.Combine(Folder, file)));

    public static YamlNode[] Parse(string text)
    {
        YamlStream stream = [];
        stream.Load(new StringReader(text));
        return [.. stream.Documents.Select(d => d.RootNode)];
    }

    public static YamlNode Single(string file, string kind) => Read(file).Single(d => d.Text("kind") == kind);

    /// <summary>The value at a path of keys and indices; an exception names the first one that is missing.</summary>
    public static YamlNode At(this YamlNode node, params object[] path)
    {
        foreach (object step in path)
        {
            node = (node, step) switch
            {
                (YamlMappingNode map, string key) when map.Children.TryGetValue(key, out YamlNode? child) => child,
                (YamlSequenceNode list, int index) => list[index],
                _ => throw new KeyNotFoundException($"no {step} in {node}"),
            };
        }
        return node;
    }

    public static bool Has(this YamlNode node, string key) => ((YamlMappingNode)node).Children.ContainsKey(key);

    public static string Text(this YamlNode node, params object[] path) => ((YamlScalarNode)node.At(path)).Value!;

    public static YamlNode[] Items(this YamlNode node, params object[] path) => [.. ((YamlSequenceNode)node.At(path)).Children];

    /// <summary>A map of texts, such as labels.</summary>
    public static Dictionary<string, string> Map(this YamlNode node, params object[] path) =>
        ((YamlMappingNode)node.At(path)).Children.ToDictionary(p => ((YamlScalarNode)p.Key).Value!, p => ((YamlScalarNode)p.Value).Value!);

    /// <summary>160Mi in bytes.</summary>
    public static long Bytes(string quantity)
    {
        Assert.EndsWith("Mi", quantity, StringComparison.Ordinal);
        return long.Parse(quantity[..^2], CultureInfo.InvariantCulture) * 1024 * 1024;
    }
    /// <summary>The same as JSON, with the types that kubectl gives to values without quotes.</summary>
    public static JsonNode? Json(this YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(map.Children.Select(p => KeyValuePair.Create(((YamlScalarNode)p.Key).Value!, p.Value.Json()))),
        YamlSequenceNode list => new JsonArray([.. list.Children.Select(Json)]),
        YamlScalarNode { Style: ScalarStyle.Plain } plain => Plain(plain.Value!),
        _ => ((YamlScalarNode)node).Value,
    };

    private static JsonNode? Plain(string text) => text.ToUpperInvariant() switch
    {
        "" or "~" or "NULL" => null,
        "TRUE" or "YES" or "ON" => true,
        "FALSE" or "NO" or "OFF" => false,
        _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) => number,
        _ when Fraction().IsMatch(text) => double.Parse(text, CultureInfo.InvariantCulture),
        _ => text,
    };

    [GeneratedRegex(@"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")]
    private static partial Regex Fraction();
}
