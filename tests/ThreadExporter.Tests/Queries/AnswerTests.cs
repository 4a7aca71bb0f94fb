

namespace ThreadExporter.Tests.Queries;

/// <summary>The documented queries return the threads of the workload that they are meant to find, not just any rows.</summary>
[Collection(nameof(PrometheusGroup))]
public sealed class AnswerTests(PrometheusFixture prometheus)
{
    [SlowTheory]
    [InlineData("topk(10, rate(perfscale_thread_cpu_seconds_total[1m]))", "tp_osd_tp")]
    [InlineData("topk(10, rate(perfscale_thread_runqueue_seconds_total[1m]))", "bstore_aio", "bstore_kv_sync", "tp_osd_tp")]
    [InlineData("topk(10, perfscale_thread_cpu_peak_ratio - rate(perfscale_thread_cpu_seconds_total[1m]))", "msgr-worker-0")]
    public async Task It_finds_them(string query, params string[] names)
    {
        AssertDocumented(query);
        IReadOnlyList<Row> rows = await prometheus.Server.QueryAsync(query);
        foreach (string name in names)
            Assert.True(rows.Any(r => r["tname"] == name && r["ppid"] == $"{prometheus.Osd}" && r.Value > 0.001), $"{name} is not among the rows of {query}");
    }

    [SlowFact]
    public async Task A_share_is_a_share_of_the_process()
    {
        string query = MarkdownBlocks.Read("docs/metrics.md", "promql").Select(q => q.Text).Single(t => t.StartsWith("rate(perfscale_thread_cpu_seconds_total[1m])\n  / on (instance, ppid)", StringComparison.Ordinal));
        Row[] rows = [.. (await prometheus.Server.QueryAsync(query)).Where(r => r["ppid"] == $"{prometheus.Osd}")];
        Assert.InRange(rows.Single(r => r["tname"] == "tp_osd_tp").Value, 0.1, 1);
        Assert.InRange(rows.Where(r => !r["tname"].StartsWith("churn", StringComparison.Ordinal)).Sum(r => r.Value), 0.5, 1.05);
    }

    /// <summary>What is shown, folded, transient and exited is what the process used.</summary>
    [SlowFact]
    public async Task Totals_add_up_to_the_process()
    {
        string query = MarkdownBlocks.Read("docs/metrics.md", "promql").Select(q => q.Text).Single(t => t.StartsWith("sum by (instance, daemon, pid, pname, part)", StringComparison.Ordinal));
        ILookup<string, double> parts = (await prometheus.Server.QueryAsync(query)).Where(r => r["pid"] == $"{prometheus.Osd}").ToLookup(r => r["part"], r => r.Value);
        // With a name where exit records are available.
        double exited = Assert.Single(parts["transient"]) + parts["exited"].Sum();
        Assert.True(Assert.Single(parts["shown"]) > exited);
        Assert.True(exited > 0);
        Assert.Equal(0, Assert.Single(parts["folded"]));
        double process = Assert.Single(await prometheus.Server.QueryAsync($"rate(perfscale_process_cpu_seconds_total{{pid=\"{prometheus.Osd}\"}}[1m])")).Value;
        // rate() extends each series to the edges of its range, each by a different length.
        Assert.InRange(parts.Sum(p => p.Sum()) / process, 0.8, 1.2);
    }

    private static void AssertDocumented(string query) =>
        Assert.Contains(query, MarkdownBlocks.Read("docs/metrics.md", "promql").Select(q => q.Text));
}
