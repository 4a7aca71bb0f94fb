using System.Text.RegularExpressions;
using ThreadExporter.Tests.Packaging;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Queries;

/// <summary>Each query in a promql block of the docs, sent to a real Prometheus: it returns rows.</summary>
[Collection(nameof(PrometheusGroup))]
public sealed partial class DocumentedQueryTests(PrometheusFixture prometheus)
{
    /// <summary>Its joins need a cluster: promtool runs them on made-up series.</summary>
    private const string Joins = "docs/kubernetes.md";

    public static TheoryData<string, string> Queries { get; } = [.. MarkdownBlocks.Files.Where(f => f != Joins).SelectMany(f => MarkdownBlocks.Read(f, "promql"))];

    [SlowTheory]
    [MemberData(nameof(Queries))]
    public async Task It_returns_rows(string place, string query)
    {
        IReadOnlyList<Row> rows = await prometheus.Server.QueryAsync(query);
        Assert.True(rows.Any(r => double.IsFinite(r.Value)), $"{place} returned no row with a value: {query}");
    }

    [SlowFact]
    public async Task Joins_with_metrics_of_a_cluster_return_rows_in_promtools_cases()
    {
        string cases = Repository.File("tests/ThreadExporter.Tests/Queries/joins.test.yml");
        string asked = Blanks().Replace(await File.ReadAllTextAsync(cases, TestContext.Current.CancellationToken), " ");
        Assert.All(MarkdownBlocks.Read(Joins, "promql"), q => Assert.Contains($"expr: | {Blanks().Replace(q.Text, " ")} eval_time", asked, StringComparison.Ordinal));
        Assert.SkipUnless(File.Exists("/usr/bin/promtool"), "promtool is not installed");
        (int code, string output, string error) = await ShellRun.RunAsync("/usr/bin/promtool", ["test", "rules", cases]);
        Assert.True(code == 0, output + error);
    }

    [SlowTheory]
    [InlineData("README.md", 2)]
    [InlineData("docs/metrics.md", 12)]
    [InlineData(Joins, 4)]
    public void Queries_are_in_separate_blocks(string file, int atLeast) =>
        Assert.True(MarkdownBlocks.Read(file, "promql").Count() >= atLeast, $"{file} has fewer promql blocks than {atLeast}");

    /// <summary>A query in a sentence or in a block of another kind would escape the tests above.</summary>
    [SlowFact]
    public void No_query_is_anywhere_else()
    {
        foreach (string file in MarkdownBlocks.Files)
            foreach (string line in MarkdownBlocks.OtherLines(file, "promql"))
                Assert.DoesNotMatch(@"\b(rate|increase|topk|sum|max|avg)( (by|without) \([a-z_, ]*\) ?)?\(.*(perfscale|thread_exporter)_", line);
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
