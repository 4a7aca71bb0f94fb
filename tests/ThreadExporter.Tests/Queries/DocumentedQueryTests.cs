using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Queries;

/// <summary>Each query in a promql block of the docs, asked of a real Prometheus: it answers with rows.</summary>
[Collection(nameof(PrometheusGroup))]
public sealed class DocumentedQueryTests(PrometheusFixture prometheus)
{
    private static readonly string[] Files = ["README.md", "docs/metrics.md", "docs/scale.md", "docs/kubernetes.md"];

    public static TheoryData<string, string> Queries { get; } = [.. Files.SelectMany(file => PromqlBlocks.Read(file).Select(q => (q.Place, q.Text)))];

    [Theory]
    [MemberData(nameof(Queries))]
    public async Task It_returns_rows(string place, string query)
    {
        IReadOnlyList<Row> rows = await prometheus.Server.QueryAsync(query);
        Assert.True(rows.Any(r => double.IsFinite(r.Value)), $"{place} returned no row with a value: {query}");
    }

    [Theory]
    [InlineData("README.md", 2)]
    [InlineData("docs/metrics.md", 12)]
    public void Queries_stand_in_blocks_of_their_own(string file, int atLeast) =>
        Assert.True(PromqlBlocks.Read(file).Count() >= atLeast, $"{file} has fewer promql blocks than {atLeast}");

    /// <summary>A query in a sentence or in a block of another kind would escape the test above.</summary>
    [Fact]
    public void No_query_stands_anywhere_else()
    {
        foreach (string file in Directory.EnumerateFiles(Repository.File("docs"), "*.md").Append(Repository.File("README.md")))
            foreach (string line in PromqlBlocks.OtherLines(file))
                Assert.DoesNotMatch(@"\b(rate|increase|topk|sum|max|avg)( (by|without) \([a-z_, ]*\) ?)?\(.*(perfscale|thread_exporter)_", line);
    }
}
