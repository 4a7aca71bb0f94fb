using System.Globalization;
using System.Text.Json;

namespace ThreadExporter.Toml.Tests;

/// <summary>Compares a table with the suite's tagged JSON; floats and times by value.</summary>
internal static class TaggedJson
{
    /// <summary>Null when equal, else where and how they differ.</summary>
    internal static string? Difference(TomlNode node, JsonElement json, string path = "")
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Array when node is TomlArray array:
                if (array.Items.Count != json.GetArrayLength())
                    return $"{path}: {array.Items.Count} items, not {json.GetArrayLength()}";
                return array.Items.Select((item, i) => Difference(item, json[i], $"{path}[{i}]")).FirstOrDefault(d => d is not null);
            case JsonValueKind.Object when IsTagged(json):
                (string type, string text) = (json.GetProperty("type").GetString()!, json.GetProperty("value").GetString()!);
                return IsScalar(node, type, text) ? null : $"{path}: {node}, not {type} {text}";
            case JsonValueKind.Object when node is TomlTable table:
                if (table.Entries.Count != json.EnumerateObject().Count())
                    return $"{path}: {table.Entries.Count} keys, not {json.EnumerateObject().Count()}";
                foreach (JsonProperty property in json.EnumerateObject())
                {
                    if (!table.TryGet(property.Name, out TomlEntry? entry))
                        return $"{path}: no key {property.Name}";
                    if (Difference(entry.Value, property.Value, $"{path}.{property.Name}") is { } difference)
                        return difference;
                }
                return null;
            default:
                return $"{path}: {node}, not {json.ValueKind}";
        }
    }

    private static bool IsTagged(JsonElement json) =>
        json.EnumerateObject().Count() == 2 && json.TryGetProperty("type", out JsonElement type) && type.ValueKind == JsonValueKind.String
        && json.TryGetProperty("value", out JsonElement value) && value.ValueKind == JsonValueKind.String;

    private static bool IsScalar(TomlNode node, string type, string text) => (node, type) switch
    {
        (TomlString s, "string") => s.Value == text,
        (TomlInteger i, "integer") => i.Value == long.Parse(text, CultureInfo.InvariantCulture),
        (TomlBoolean b, "bool") => b.Value == bool.Parse(text),
        (TomlFloat f, "float") => f.Value.Equals(Float(text)),
        (TomlDateTime { Kind: TomlDateTimeKind.OffsetDateTime } t, "datetime") => t.Value.EqualsExact(Time(text)),
        (TomlDateTime { Kind: TomlDateTimeKind.LocalDateTime } t, "datetime-local") => t.Value.EqualsExact(Time(text)),
        (TomlDateTime { Kind: TomlDateTimeKind.LocalDate } t, "date-local") => t.Value.EqualsExact(Time(text)),
        (TomlDateTime { Kind: TomlDateTimeKind.LocalTime } t, "time-local") => t.Value.EqualsExact(Time("0001-01-01T" + text)),
        _ => false,
    };

    private static double Float(string text) => text.TrimStart('+') switch
    {
        "inf" => double.PositiveInfinity,
        "-inf" => double.NegativeInfinity,
        "nan" or "-nan" => double.NaN,
        var number => double.Parse(number, CultureInfo.InvariantCulture),
    };

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
