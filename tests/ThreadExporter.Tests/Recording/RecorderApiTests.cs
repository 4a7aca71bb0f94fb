using System.Globalization;
using System.Net;
using System.Text.Json;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Recording;

/// <summary>The recorder in the running daemon, and the API that answers from it.</summary>
public sealed class RecorderApiTests : IDisposable
{
    private readonly RecorderFolder _folder = new();
    private readonly Workload _workload = new();

    public void Dispose()
    {
        _workload.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_recorded_moment_has_the_threads_that_used_the_cpu_then()
    {
        int tid = _workload.Spawn("burner", "60");
        using TempConfig config = Config();
        await using Daemon daemon = await StartAsync(config);
        await daemon.WaitForLogAsync($"Recording the hottest threads to {_folder.Database}");
        JsonElement strip = await StripAsync(daemon, s => s.GetProperty("points").EnumerateArray().Any(p => p.GetProperty("cpu_cores").GetDouble() > 0.1));
        Assert.True(strip.GetProperty("enabled").GetBoolean());
        Assert.Equal(1, strip.GetProperty("interval_seconds").GetDouble());
        Assert.True(strip.GetProperty("bytes").GetInt64() > 0);
        (string from, string to) = (strip.GetProperty("from").GetString()!, strip.GetProperty("to").GetString()!);

        JsonElement moment = await GetAsync(daemon, $"/api/v1/hot?at={to}");
        JsonElement thread = moment.GetProperty("threads").EnumerateArray().First(t => t.GetProperty("tid").GetInt32() == tid);
        Assert.Equal(("burner", _workload.Pid, "workload"), (thread.GetProperty("name").GetString(), thread.GetProperty("pid").GetInt32(), thread.GetProperty("process").GetString()));
        Assert.InRange(thread.GetProperty("cpu_ratio").GetDouble(), 0.02, 1);
        Assert.Equal(0, thread.GetProperty("history").GetArrayLength());
        Assert.False(moment.GetProperty("warming_up").GetBoolean());
        JsonElement recorded = moment.GetProperty("recorded");
        Assert.True(Time(recorded, "from") < Time(recorded, "at"));
        Assert.True(Time(recorded, "range_from") <= Time(recorded, "from") && Time(recorded, "at") <= Time(recorded, "range_to"));
        foreach (JsonElement process in moment.GetProperty("processes").EnumerateArray())
        {
            Assert.Equal(process.GetProperty("cpu_seconds").GetDecimal(),
                process.GetProperty("listed_threads_seconds").GetDecimal() + process.GetProperty("other_threads_seconds").GetDecimal() + process.GetProperty("unattributed_seconds").GetDecimal());
        }
        // The same by seconds since 1970.
        double seconds = DateTimeOffset.Parse(to, CultureInfo.InvariantCulture).ToUnixTimeMilliseconds() / 1000.0;
        Assert.Equal(Time(recorded, "at"), Time((await GetAsync(daemon, $"/api/v1/hot?at={seconds.ToString(CultureInfo.InvariantCulture)}&n=1")).GetProperty("recorded"), "at"));

        JsonElement report = await GetAsync(daemon, $"/api/v1/report?from={from}&to={to}");
        JsonElement first = report.GetProperty("cpu")[0];
        Assert.Equal(tid, first.GetProperty("tid").GetInt32());
        Assert.InRange(first.GetProperty("peak_share").GetDouble(), first.GetProperty("share").GetDouble(), 1);
        Assert.True(report.GetProperty("recorded_seconds").GetDouble() > 0.9);

        ParsedScrape scrape = await daemon.ScrapeParsedAsync();
        Assert.Equal((1, 0, 0), (scrape.Value("thread_exporter_recorder_enabled"), scrape.Value("thread_exporter_recorder_intervals_lost_total"), scrape.Value("thread_exporter_recorder_errors_total")));
        Assert.True(scrape.Value("thread_exporter_recorder_intervals_total") >= 1);
        Assert.InRange(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - scrape.Value("thread_exporter_recorder_last_write_timestamp_seconds"), -1, 20);
        Assert.True(scrape.Value("thread_exporter_recorder_oldest_timestamp_seconds") < scrape.Value("thread_exporter_recorder_last_write_timestamp_seconds"));
        Assert.Equal(0, await daemon.StopAsync());
        Assert.Equal([_folder.Database], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task Times_that_are_not_valid_or_not_recorded_are_clear_errors()
    {
        using TempConfig config = Config();
        await using Daemon daemon = await StartAsync(config);
        await StripAsync(daemon, s => s.GetProperty("from").ValueKind == JsonValueKind.String);
        foreach (string query in (string[])["hot?at=yesterday", "hot?at=", "hot?at=1&at=2", "report?from=x", "recorder?to=2026-13-01T00:00:00Z"])
        {
            (HttpStatusCode status, JsonElement body) = await TryGetAsync(daemon, "/api/v1/" + query);
            Assert.Equal(HttpStatusCode.BadRequest, status);
            Assert.Matches("^invalid (at|from|to): must be a time such as ", body.GetProperty("error").GetString());
        }
        foreach (string query in (string[])["report?from=2&to=1", "recorder?from=1&to=1"])
            Assert.Equal("invalid from: must be before to", (await TryGetAsync(daemon, "/api/v1/" + query)).Body.GetProperty("error").GetString());
        Assert.Equal("invalid steps: must be 1-1000", (await TryGetAsync(daemon, "/api/v1/recorder?steps=1001")).Body.GetProperty("error").GetString());
        Assert.Equal(HttpStatusCode.BadRequest, (await TryGetAsync(daemon, "/api/v1/report?n=0")).Status);
        foreach (string query in (string[])["hot?at=2020-01-01T00:00:00Z", "report?from=0&to=1"])
        {
            (HttpStatusCode status, JsonElement body) = await TryGetAsync(daemon, "/api/v1/" + query);
            Assert.Equal(HttpStatusCode.NotFound, status);
            Assert.StartsWith("nothing was recorded ", body.GetProperty("error").GetString(), StringComparison.Ordinal);
            Assert.True(Time(body.GetProperty("recorded"), "from") < Time(body.GetProperty("recorded"), "to"));
        }
    }

    [Fact]
    public async Task Without_a_directory_the_recorder_is_off_and_says_so_once()
    {
        await using Daemon daemon = await Daemon.StartAsync(["--filter", $"{_workload.Pid}"]);
        await daemon.WaitForLogAsync("The recorder is off: systemd gives no directory (STATE_DIRECTORY), and recorder.directory names none");
        (HttpStatusCode status, JsonElement body) = await TryGetAsync(daemon, "/api/v1/hot?at=1");
        Assert.Equal(HttpStatusCode.NotFound, status);
        Assert.Equal(("the recorder is off", JsonValueKind.Null), (body.GetProperty("error").GetString(), body.GetProperty("recorded").ValueKind));
        JsonElement strip = await GetAsync(daemon, "/api/v1/recorder");
        Assert.False(strip.GetProperty("enabled").GetBoolean());
        Assert.Equal((JsonValueKind.Null, 0), (strip.GetProperty("from").ValueKind, strip.GetProperty("points").GetArrayLength()));
        Assert.Equal(0, (await daemon.ScrapeParsedAsync()).Value("thread_exporter_recorder_enabled"));
    }

    [Fact]
    public async Task A_reload_switches_it_off_and_on_and_the_directory_waits_for_a_restart()
    {
        using TempConfig config = Config();
        await using Daemon daemon = await StartAsync(config);
        await StripAsync(daemon, s => s.GetProperty("from").ValueKind == JsonValueKind.String);
        config.Write(Text("enabled = false"));
        daemon.Signal("HUP");
        await daemon.WaitForLogAsync("Configuration reloaded");
        Assert.Equal(HttpStatusCode.NotFound, (await TryGetAsync(daemon, "/api/v1/report")).Status);
        await Eventually.TrueAsync(() => !File.Exists(_folder.Database + "-wal"), "the database is closed", () => daemon.Log);
        long size = new FileInfo(_folder.Database).Length;
        config.Write(Text("enabled = true\ninterval = \"2s\"\ndirectory = \"/elsewhere\""));
        daemon.Signal("HUP");
        await daemon.WaitForLogAsync("recorder.directory has changed in");
        JsonElement strip = await StripAsync(daemon, s => s.GetProperty("interval_seconds").GetDouble() == 2);
        Assert.Equal(JsonValueKind.String, strip.GetProperty("from").ValueKind);
        Assert.True(size > 0);
    }

    [Fact]
    public async Task Check_says_where_it_would_record_and_makes_nothing()
    {
        using TempConfig config = Config();
        (int code, string output, _) = await Daemon.RunAsync(["check", "--config", config.Path], Environment);
        Assert.Equal(0, code);
        Assert.Contains($"\nrecorder: {_folder.Database}\n", output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Path));
        (_, output, _) = await Daemon.RunAsync(["check", "--config", config.Path]);
        Assert.Contains("\nrecorder: off, systemd gives no directory", output, StringComparison.Ordinal);
    }

    private Dictionary<string, string> Environment => new() { ["STATE_DIRECTORY"] = _folder.Path };

    private string Text(string recorder) => $"[[filter]]\nname = \"workload\"\npid = {_workload.Pid}\n[recorder]\n{recorder}\n";

    private TempConfig Config() => new(Text("interval = \"1s\""));

    private Task<Daemon> StartAsync(TempConfig config) => Daemon.StartAsync(["--config", config.Path], Environment);

    private static Task<JsonElement> StripAsync(Daemon daemon, Func<JsonElement, bool> condition) =>
        Eventually.ValueAsync(() => GetAsync(daemon, "/api/v1/recorder?steps=10"), condition, "what is recorded");

    private static async Task<JsonElement> GetAsync(Daemon daemon, string path)
    {
        (HttpStatusCode status, JsonElement body) = await TryGetAsync(daemon, path);
        Assert.True(status == HttpStatusCode.OK, $"{path}: {status} {body}");
        return body;
    }

    private static async Task<(HttpStatusCode Status, JsonElement Body)> TryGetAsync(Daemon daemon, string path)
    {
        using HttpResponseMessage response = await daemon.Http.GetAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal("application/json; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        return (response.StatusCode, JsonDocument.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement);
    }

    private static DateTimeOffset Time(JsonElement body, string name) => DateTimeOffset.Parse(body.GetProperty(name).GetString()!, CultureInfo.InvariantCulture);
}
