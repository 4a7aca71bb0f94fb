using System.Text.Json;
using System.Text.RegularExpressions;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Queries;

/// <summary>packaging/grafana/thread-exporter.json, and what Grafana does with it: it queries the variables and inserts them into the queries.</summary>
internal static partial class Dashboard
{
    public static JsonElement Root { get; } = JsonDocument.Parse(File.ReadAllText(Repository.File("packaging/grafana/thread-exporter.json"))).RootElement;

    public static IEnumerable<JsonElement> Panels => Root.GetProperty("panels").EnumerateArray();

    /// <summary>The panels that show data, without the rows above them.</summary>
    public static IEnumerable<JsonElement> Charts => Panels.Where(p => p.GetProperty("type").GetString() != "row");

    public static IEnumerable<JsonElement> Variables => Root.GetProperty("templating").GetProperty("list").EnumerateArray();

    public static IEnumerable<JsonElement> QueryVariables => Variables.Where(v => v.GetProperty("type").GetString() == "query");

    /// <summary>The value of each variable while All is selected.</summary>
    public static Dictionary<string, string> EverythingChosen()
    {
        Dictionary<string, string> chosen = new() { ["__rate_interval"] = "1m" };
        foreach (JsonElement variable in Variables)
        {
            chosen[variable.GetProperty("name").GetString()!] = variable.GetProperty("type").GetString() switch
            {
                "query" => variable.GetProperty("allValue").GetString()!,
                "custom" => variable.GetProperty("current").GetProperty("value").GetString()!,
                _ => "",
            };
        }
        return chosen;
    }

    public static string Fill(string query, Dictionary<string, string> chosen) =>
        Variable().Replace(query, m => chosen.TryGetValue(m.Groups[1].Value, out string? value) ? value : throw new InvalidOperationException($"no variable {m.Value} in: {query}"));

    /// <summary>The values that a query variable offers, by Grafana's two functions for Prometheus.</summary>
    public static async Task<string[]> OfferAsync(PrometheusServer server, JsonElement variable, Dictionary<string, string> chosen)
    {
        string query = Fill(variable.GetProperty("query").GetProperty("query").GetString()!, chosen);
        if (LabelValues().Match(query) is { Success: true } values)
        {
            JsonElement found = await server.GetAsync($"/api/v1/label/{values.Groups[2].Value}/values", ("match[]", values.Groups[1].Value));
            return [.. found.EnumerateArray().Select(v => v.GetString()!)];
        }
        Match result = QueryResult().Match(query);
        Assert.True(result.Success, $"neither label_values nor query_result: {query}");
        Regex pick = new(variable.GetProperty("regex").GetString()!.Trim('/'));
        return [.. (await server.QueryAsync(result.Groups[1].Value)).Select(row =>
        {
            string text = $"{{{string.Join(",", row.Labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}=\"{l.Value}\""))}}} {row.Value} 0";
            Match picked = pick.Match(text);
            Assert.True(picked.Success && picked.Groups["text"].Value.Contains(row["pname"], StringComparison.Ordinal), $"{pick} does not pick from {text}");
            return picked.Groups["value"].Value;
        })];
    }

    [GeneratedRegex(@"\$(\w+)")]
    private static partial Regex Variable();

    [GeneratedRegex(@"^label_values\((.+), (\w+)\)$")]
    private static partial Regex LabelValues();

    [GeneratedRegex(@"^query_result\((.+)\)$")]
    private static partial Regex QueryResult();
}
