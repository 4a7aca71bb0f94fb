using System.Text.Json;
using System.Text.RegularExpressions;
using ThreadExporter.Tests.Packaging;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Queries;

/// <summary>packaging/prometheus: the rules by promtool's word, by its cases, and in a Prometheus that evaluates them.</summary>
[Collection(nameof(PrometheusGroup))]
public sealed partial class RuleTests(PrometheusFixture prometheus)
{
    private static readonly string Folder = Repository.File("packaging/prometheus");
    private static readonly string Cases = Repository.File("tests/ThreadExporter.Tests/Queries/rules.test.yml");

    public static TheoryData<string> Records => Names("record");

    public static TheoryData<string> Alerts => Names("alert");

    [SlowTheory]
    [MemberData(nameof(Records))]
    public async Task A_recording_rule_records_rows(string record)
    {
        IReadOnlyList<Row> rows = await prometheus.Server.QueryAsync(record);
        Assert.True(rows.Any(r => double.IsFinite(r.Value)), $"{record} has no row with a value");
        // The level is what the labels are.
        string level = record[..record.IndexOf(':', StringComparison.Ordinal)];
        foreach (Row row in rows)
            Assert.Equal(level, string.Join('_', ((string[])["job", "instance", "daemon", "pname", "tname", "cgroup"]).Where(row.Labels.ContainsKey)));
    }

    [SlowFact]
    public async Task Prometheus_evaluates_every_rule_without_an_error()
    {
        JsonElement groups = (await prometheus.Server.GetAsync("/api/v1/rules")).GetProperty("groups");
        JsonElement[] rules = [.. groups.EnumerateArray().SelectMany(g => g.GetProperty("rules").EnumerateArray())];
        Assert.Equal(Records.Count + Alerts.Count, rules.Length);
        Assert.All(rules, r => Assert.Equal((r.GetProperty("name").GetString(), "ok"), (r.GetProperty("name").GetString(), r.GetProperty("health").GetString())));
    }

    /// <summary>The workload has a rule that matches nothing: real series, not promtool's, start that alert.</summary>
    [SlowFact]
    public async Task A_filter_that_matches_nothing_starts_its_alert()
    {
        Row row = Assert.Single(await prometheus.Server.QueryAsync("""ALERTS{alertname="ThreadExporterFilterMatchesNothing"}"""));
        Assert.Equal(("nothing", "pending"), (row["filter"], row["alertstate"]));
    }

    [SlowFact]
    public async Task The_shipped_configuration_passes_promtool()
    {
        (int code, string output, string error) = await PromtoolAsync("check", "config", Path.Combine(Folder, "prometheus.yml"));
        Assert.True(code == 0, output + error);
        (code, output, error) = await PromtoolAsync(["check", "rules", "--lint=all", "--lint-fatal", .. RuleFiles()]);
        Assert.True(code == 0, output + error);
    }

    [SlowFact]
    public async Task Every_alert_fires_and_does_not_fire_in_promtools_cases()
    {
        (int code, string output, string error) = await PromtoolAsync("test", "rules", Cases);
        Assert.True(code == 0, output + error);
    }

    [SlowTheory]
    [MemberData(nameof(Alerts))]
    public void An_alert_has_a_case_of_each_kind(string alert)
    {
        // Behind alertname a case has either alerts or an empty list.
        string[] expectations = [.. Expectation().Matches(File.ReadAllText(Cases)).Where(m => m.Groups[1].Value == alert).Select(m => m.Groups[2].Value)];
        Assert.Contains("[]", expectations);
        Assert.Contains("", expectations);
    }

    private static string[] RuleFiles() => [.. Directory.EnumerateFiles(Path.Combine(Folder, "rules"), "*.yml").Order(StringComparer.Ordinal)];

    private static TheoryData<string> Names(string kind) =>
        [.. RuleFiles().SelectMany(File.ReadLines).Select(l => Rule().Match(l)).Where(m => m.Groups[1].Value == kind).Select(m => m.Groups[2].Value)];

    private static async Task<(int Code, string Output, string Error)> PromtoolAsync(params string[] arguments)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/promtool"), "promtool is not installed");
        return await ShellRun.RunAsync("/usr/bin/promtool", arguments);
    }

    [GeneratedRegex(@"^ *- (record|alert): (\S+)$")]
    private static partial Regex Rule();

    [GeneratedRegex(@"alertname: (\w+)\s+exp_alerts:[ ]*(\[\]|)$", RegexOptions.Multiline)]
    private static partial Regex Expectation();
}
