using System.Diagnostics;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Web.Pages;

/// <summary><c>/api/v1/hot</c> of the running daemon, which watches a real process.</summary>
public sealed partial class HotApiTests : IAsyncLifetime
{
    private Workload _workload = null!;
    private Daemon _daemon = null!;

    public async ValueTask InitializeAsync()
    {
        _workload = new Workload();
        _daemon = await Daemon.StartAsync(["--filter", $"{_workload.Pid}"]);
    }

    public async ValueTask DisposeAsync()
    {
        await _daemon.DisposeAsync();
        _workload.Dispose();
    }

    [SlowFact]
    public async Task The_first_response_is_immediate_and_reports_warming_up()
    {
        long start = Stopwatch.GetTimestamp();
        JsonElement body = await RequestAsync();
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(5));
        Assert.True(body.GetProperty("warming_up").GetBoolean());
        Assert.Equal(0, body.GetProperty("threads").GetArrayLength());
        Assert.Equal(1, body.GetProperty("watched").GetProperty("filters").GetInt32());
    }

    [SlowFact]
    public async Task The_hot_thread_is_first_even_without_scrapes_and_when_it_is_new()
    {
        int hot = _workload.Spawn("hot", "60");
        _workload.Rename(hot, [(byte)'<', (byte)'b', (byte)'>', 0xff, (byte)'"']);
        _workload.Spawn("cool", "5");
        JsonElement body = await RequestUntilAsync(a => First(a)?.GetProperty("tid").GetInt32() == hot);
        JsonElement thread = First(body)!.Value;
        Assert.Equal("<b>\\xff\"", thread.GetProperty("name").GetString());
        Assert.Equal(_workload.Pid, thread.GetProperty("pid").GetInt32());
        Assert.Equal("workload", thread.GetProperty("process").GetString());
        Assert.Equal($"{_workload.Pid}", thread.GetProperty("filter").GetString());
        Assert.InRange(thread.GetProperty("cpu_ratio").GetDouble(), 0.0001, 1);
        Assert.Contains(thread.GetProperty("state").GetString()!, (string[])["R", "S"]);
        // The daemon's own one before it was ready, and one by this test: none was made by the API.
        Assert.Equal(2, (await _daemon.ScrapeParsedAsync()).Value("thread_exporter_collections_total"));
    }

    [SlowFact]
    public async Task Exited_threads_are_listed_by_name_when_there_are_exit_records()
    {
        JsonElement body = await RequestWithExitedThreadsAsync();
        JsonElement process = body.GetProperty("processes")[0];
        JsonElement exited = process.GetProperty("exited")[0];
        Assert.Equal("churn-*", exited.GetProperty("name").GetString());
        Assert.True(exited.GetProperty("exits").GetInt64() >= 10);
        decimal used = process.GetProperty("exited").EnumerateArray().Sum(e => e.GetProperty("cpu_seconds").GetDecimal());
        Assert.InRange(used, 0.02m, process.GetProperty("unattributed_seconds").GetDecimal() + process.GetProperty("waited_children_seconds").GetDecimal());
    }

    [SlowFact]
    public async Task The_CPU_time_of_a_process_adds_up_to_the_nanosecond()
    {
        for (int i = 0; i < 12; i++)
            _workload.Spawn($"worker-{i}", "3");
        await RequestUntilAsync(a => a.GetProperty("threads").GetArrayLength() >= 10, rows: 200);
        _workload.Churn(20, 10);
        foreach (int rows in (int[])[1, 5, 200])
        {
            JsonElement body = await RequestUntilAsync(a => a.GetProperty("processes").GetArrayLength() > 0, rows);
            JsonElement process = body.GetProperty("processes").EnumerateArray().Single();
            decimal listed = body.GetProperty("threads").EnumerateArray().Sum(t => t.GetProperty("cpu_seconds").GetDecimal());
            decimal other = process.GetProperty("other_threads_seconds").GetDecimal();
            decimal unattributed = process.GetProperty("unattributed_seconds").GetDecimal();
            Assert.Equal(process.GetProperty("listed_threads_seconds").GetDecimal(), listed);
            Assert.Equal(process.GetProperty("cpu_seconds").GetDecimal(), listed + other + unattributed);
            Assert.True(listed > 0 && other >= 0 && unattributed >= 0);
            Assert.True(rows == 200 || other > 0, "what is not shown is among the others");
            Assert.True(body.GetProperty("threads").GetArrayLength() <= rows);
        }
    }

    [SlowFact]
    public async Task Saturated_time_comes_from_the_sampler()
    {
        int tid = _workload.Spawn("burner", "burn");
        await _daemon.ScrapeAsync();
        JsonElement body = await RequestUntilAsync(a => Thread(a, tid)?.GetProperty("saturated_seconds").GetDouble() > 0.1 || Thread(a, tid)?.GetProperty("history").GetArrayLength() > 8);
        JsonElement thread = Thread(body, tid)!.Value;
        double saturated = thread.GetProperty("saturated_seconds").GetDouble();
        // On a busy machine a thread may never get a core of its own.
        Assert.InRange(saturated, 0, thread.GetProperty("history").GetArrayLength() + 1);
        Assert.Equal(thread.GetProperty("cpu_ratio").GetDouble(),
            thread.GetProperty("user_ratio").GetDouble() + thread.GetProperty("kernel_ratio").GetDouble(), 0.001);
    }

    [SlowTheory]
    [InlineData("n=0")]
    [InlineData("n=201")]
    [InlineData("n=-1")]
    [InlineData("n=")]
    [InlineData("n=1e1")]
    [InlineData("n=5&n=6")]
    [InlineData("n=99999999999999999999")]
    public async Task A_number_of_threads_out_of_bounds_is_a_clear_400(string query)
    {
        HttpResponseMessage response = await _daemon.Http.GetAsync("/api/v1/hot?" + query, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        JsonElement body = JsonDocument.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement;
        Assert.Equal("invalid n: must be 1-200", body.GetProperty("error").GetString());
    }

    [SlowTheory]
    [InlineData("/api/v1/hot", "application/json; charset=utf-8")]
    [InlineData("/hot", "text/html; charset=utf-8")]
    [InlineData("/hot.js", "text/javascript; charset=utf-8")]
    [InlineData("/hot.recorder.js", "text/javascript; charset=utf-8")]
    [InlineData("/api/v1/recorder", "application/json; charset=utf-8")]
    [InlineData("/hot.css", "text/css; charset=utf-8")]
    [InlineData("/hot.svg", "image/svg+xml")]
    [InlineData("/", "text/html; charset=utf-8")]
    public async Task Responses_are_not_cached_and_allow_no_content_from_other_hosts(string path, string type)
    {
        HttpResponseMessage response = await _daemon.Http.GetAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(type, response.Content.Headers.ContentType!.ToString());
        Assert.Equal("no-store", Assert.Single(response.Headers.GetValues("Cache-Control")));
        Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal("no-referrer", Assert.Single(response.Headers.GetValues("Referrer-Policy")));
        string policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none'; ", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.DoesNotMatch("https?:", policy);
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.DoesNotMatch(@" style=|<style|<script>| on[a-z]+=|(src|href)=""(https?:)?//", text);
    }

    [SlowFact]
    public async Task Disabled_pages_are_not_found()
    {
        using TempConfig config = new("[web]\npages = false\n");
        await using Daemon daemon = await Daemon.StartAsync(["--config", config.Path]);
        foreach (string path in (string[])["/", "/hot", "/hot.js", "/hot.recorder.js", "/api/v1/recorder", "/api/v1/report", "/hot.css", "/hot.svg", "/api/v1/hot"])
        {
            HttpResponseMessage response = await daemon.Http.GetAsync(path, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
            Assert.Equal("Pages are disabled (web.pages).\n", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }
    }

    [SlowFact]
    public async Task The_shipped_configuration_serves_the_pages()
    {
        await using Daemon daemon = await Daemon.StartAsync(["--config", Repository.File("etc/thread-exporter.toml")]);
        JsonElement body = await RequestUntilAsync(a => First(a) is not null, daemon: daemon);
        Assert.Contains(body.GetProperty("threads").EnumerateArray(), t => t.GetProperty("process").GetString() == "thread-exporter");
    }

    [Fact]
    public async Task A_known_thread_has_its_role_and_another_has_none()
    {
        int known = _workload.Spawn("rocksdb:low0", "10"), other = _workload.Spawn("steady", "10");
        JsonElement body = await RequestUntilAsync(a => Thread(a, known) is not null && Thread(a, other) is not null);
        JsonElement role = Thread(body, known)!.Value.GetProperty("role");
        Assert.Equal("RocksDB compaction", role.GetProperty("name").GetString());
        Assert.StartsWith("https://", role.GetProperty("source").GetString());
        Assert.Equal(JsonValueKind.Null, Thread(body, other)!.Value.GetProperty("role").ValueKind);
    }

    [SlowFact]
    public async Task The_document_names_every_field_and_no_other()
    {
        JsonElement body = await RequestWithExitedThreadsAsync();
        SortedSet<string> served = [];
        AddFields(body, "", served);
        // An object that is null elsewhere.
        served.RemoveWhere(f => served.Any(other => other.StartsWith(f + ".", StringComparison.Ordinal)));
        string document = await File.ReadAllTextAsync(Repository.File("docs/api.md"), TestContext.Current.CancellationToken);
        // What is recorded has tables of its own: RecorderApiTests.
        SortedSet<string> documented = [.. Field().Matches(document.Split("\n## Recorded moments\n")[0]).Select(m => m.Groups[1].Value)];
        Assert.Equal(documented, served);
    }

    /// <summary>A response with a listed thread, and with many that were gone before anybody could list them.</summary>
    private async Task<JsonElement> RequestWithExitedThreadsAsync()
    {
        await _daemon.WaitForLogAsync("Exit records are");
        Assert.SkipWhen(_daemon.Log.Contains("Exit records are not available", StringComparison.Ordinal), "exit records are not available here");
        _workload.Spawn("rocksdb:low0", "10");
        await RequestUntilAsync(a => First(a) is not null);
        return await RequestUntilAsync(a =>
        {
            _workload.Churn(20, 5);
            return a.GetProperty("threads").EnumerateArray().Any(t => t.GetProperty("role").ValueKind == JsonValueKind.Object)
                && a.GetProperty("host").GetProperty("neighbours").GetArrayLength() > 0
                && a.GetProperty("processes").EnumerateArray().Any(p => p.GetProperty("exited").EnumerateArray().Any(e => e.GetProperty("exits").GetInt64() >= 10));
        });
    }

    private async Task<JsonElement> RequestAsync(int rows = 20, Daemon? daemon = null) =>
        JsonDocument.Parse(await (daemon ?? _daemon).Http.GetStringAsync($"/api/v1/hot?n={rows}")).RootElement;

    private Task<JsonElement> RequestUntilAsync(Func<JsonElement, bool> condition, int rows = 20, Daemon? daemon = null) =>
        Eventually.ValueAsync(() => RequestAsync(rows, daemon), condition, "the response that the test waits for");

    private static JsonElement? First(JsonElement body) => body.GetProperty("threads").EnumerateArray().Cast<JsonElement?>().FirstOrDefault();

    private static JsonElement? Thread(JsonElement body, int tid) =>
        body.GetProperty("threads").EnumerateArray().Cast<JsonElement?>().FirstOrDefault(t => t!.Value.GetProperty("tid").GetInt32() == tid);

    private static void AddFields(JsonElement element, string path, SortedSet<string> fields)
    {
        if (element.ValueKind == JsonValueKind.Array && element.EnumerateArray().FirstOrDefault().ValueKind == JsonValueKind.Object)
        {
            foreach (JsonElement item in element.EnumerateArray())
                AddFields(item, path + "[]", fields);
            return;
        }
        if (element.ValueKind != JsonValueKind.Object)
        {
            fields.Add(path);
            return;
        }
        foreach (JsonProperty property in element.EnumerateObject())
            AddFields(property.Value, path.Length == 0 ? property.Name : $"{path}.{property.Name}", fields);
    }

    /// <summary>The first cell of a row of the tables of fields.</summary>
    [GeneratedRegex(@"^\| `([a-z_.\[\]]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Field();
}
