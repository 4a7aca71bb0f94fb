using System.Text.Json;

namespace ThreadExporter.Tests.Queries;

/// <summary>Every query of the Grafana dashboard returns rows, with everything chosen and with one of each.</summary>
[Collection(nameof(PrometheusGroup))]
public sealed class DashboardTests(PrometheusFixture prometheus)
{
    private static readonly string[] ElsewhereOnly = ["thread_group", "filter!=", "group_processes", "exited_processes"];

    public static TheoryData<string, string> Targets { get; } = [.. Dashboard.Charts.SelectMany(
        p => p.GetProperty("targets").EnumerateArray().Select(t => ($"{p.GetProperty("title").GetString()}: {t.GetProperty("refId").GetString()}", t.GetProperty("expr").GetString()!)))];

    [SlowTheory]
    [MemberData(nameof(Targets))]
    public async Task A_panel_has_rows(string panel, string query)
    {
        await AssertRowsAsync(panel, Dashboard.Fill(query, Dashboard.EverythingChosen()));
        // What the one process that is chosen does not have.
        Dictionary<string, string> chosen = Dashboard.EverythingChosen();
        (chosen["job"], chosen["instance"]) = ("(thread-exporter)", $"({prometheus.Instance.Replace(".", @"\\.", StringComparison.Ordinal)})");
        if (!ElsewhereOnly.Any(metric => query.Contains(metric, StringComparison.Ordinal)))
            (chosen["daemon"], chosen["process"], chosen["top"]) = ("(ceph-osd)", $"({prometheus.Osd})", "5");
        await AssertRowsAsync(panel, Dashboard.Fill(query, chosen));
    }

    [SlowFact]
    public async Task Variables_offer_what_there_is()
    {
        Dictionary<string, string[]> offers = [];
        foreach (JsonElement variable in Dashboard.QueryVariables)
            offers[variable.GetProperty("name").GetString()!] = await Dashboard.OfferAsync(prometheus.Server, variable, Dashboard.EverythingChosen());
        Assert.Equal(["thread-exporter"], offers["job"]);
        Assert.Equal([prometheus.Instance], offers["instance"]);
        // A child of the shell that forks may be there.
        Assert.Equal(["ceph-osd", "mariadbd", "sh"], offers["daemon"].Where(d => d != "sleep").ToArray());
        Assert.Contains($"{prometheus.Osd}", offers["process"]);
        Assert.InRange(offers["process"].Length, 3, 20);
    }

    [SlowFact]
    public void It_imports_without_edits()
    {
        Assert.False(Dashboard.Root.TryGetProperty("__inputs", out _));
        Assert.False(Dashboard.Root.TryGetProperty("id", out _));
        JsonElement first = Dashboard.Variables.First();
        Assert.Equal(("datasource", "prometheus"), (first.GetProperty("type").GetString(), first.GetProperty("query").GetString()));
        string[] used = [.. Dashboard.Charts.Concat(Dashboard.Charts.SelectMany(p => p.GetProperty("targets").EnumerateArray())).Concat(Dashboard.QueryVariables)
            .Select(e => e.GetProperty("datasource").GetProperty("uid").GetString()!)];
        Assert.Equal(["${datasource}"], used.Distinct());
    }

    [SlowFact]
    public void Every_panel_has_a_unit_and_every_query_a_legend()
    {
        foreach (JsonElement panel in Dashboard.Charts)
        {
            string title = panel.GetProperty("title").GetString()!;
            Assert.True(panel.GetProperty("fieldConfig").GetProperty("defaults").GetProperty("unit").GetString() is { Length: > 0 }, $"{title} has no unit");
            foreach (JsonElement target in panel.GetProperty("targets").EnumerateArray())
                Assert.True(target.GetProperty("legendFormat").GetString() is { Length: > 0 }, $"{title} has a query without a legend");
        }
    }

    [SlowFact]
    public void Panels_are_next_to_each_other()
    {
        HashSet<(int, int)> taken = [];
        HashSet<int> ids = [];
        foreach (JsonElement panel in Dashboard.Panels)
        {
            Assert.True(ids.Add(panel.GetProperty("id").GetInt32()));
            JsonElement at = panel.GetProperty("gridPos");
            (int x, int y, int w, int h) = (at.GetProperty("x").GetInt32(), at.GetProperty("y").GetInt32(), at.GetProperty("w").GetInt32(), at.GetProperty("h").GetInt32());
            Assert.InRange(x + w, 1, 24);
            for (int i = 0; i < w * h; i++)
                Assert.True(taken.Add((x + i % w, y + i / w)), $"{panel.GetProperty("title").GetString()} lies on another panel");
        }
    }

    private async Task AssertRowsAsync(string panel, string query)
    {
        IReadOnlyList<Row> rows = await prometheus.Server.QueryAsync(query);
        Assert.True(rows.Any(r => double.IsFinite(r.Value)), $"{panel} returned no row with a value: {query}");
    }
}
