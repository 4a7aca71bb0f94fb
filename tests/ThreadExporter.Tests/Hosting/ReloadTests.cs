using System.Net;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Hosting;

/// <summary>Reload of the running daemon by signal, by HTTP and by command.</summary>
public sealed class ReloadTests : IDisposable
{
    private const string Good = "[[filter]]\nname = \"first\"\nmatch = \"thread-exporter\"\n[web]\nenable_lifecycle = true\n";
    private const string Other = "[[filter]]\nname = \"second\"\nmatch = \"thread-exporter\"\n[web]\nenable_lifecycle = true\n";
    private const string Bad = "[[filter]]\nname = \"third\"\nmatch = \"thread-exporter\"\ncolour = \"s3cret-red\"\n[web]\nenable_lifecycle = 7\n";

    private readonly TempConfig _config = new(Good);
    private readonly DirectoryInfo _runtime = Directory.CreateTempSubdirectory("te-reload-");

    private Dictionary<string, string> Environment => new() { ["RUNTIME_DIRECTORY"] = _runtime.FullName };

    public void Dispose()
    {
        _config.Dispose();
        _runtime.Delete(recursive: true);
    }

    [Fact]
    public async Task SIGHUP_activates_new_filters_and_keeps_the_pid()
    {
        await using Daemon daemon = await StartAsync();
        _config.Write(Other);
        daemon.Signal("HUP");
        await daemon.WaitForLogAsync("Configuration reloaded");
        Support.ParsedScrape scrape = await daemon.ScrapeParsedAsync();
        Assert.Equal("second", Assert.Single(scrape.Of("thread_exporter_filter_matched_processes")).Labels["filter"]);
        Assert.Equal(1, scrape.Value("thread_exporter_config_last_reload_successful"));
    }

    [Fact]
    public async Task A_bad_file_is_logged_with_every_error_and_the_old_filters_stay()
    {
        await using Daemon daemon = await StartAsync();
        double loadedAt = (await daemon.ScrapeParsedAsync()).Value("thread_exporter_config_last_reload_success_timestamp_seconds");
        _config.Write(Bad);
        daemon.Signal("HUP");
        await daemon.WaitForLogAsync("Reload failed with 2 errors");
        Assert.Contains($"{_config.Path}:4:1: ", daemon.Log, StringComparison.Ordinal);
        Assert.Contains($"{_config.Path}:6:20: ", daemon.Log, StringComparison.Ordinal);
        Support.ParsedScrape scrape = await daemon.ScrapeParsedAsync();
        Assert.Equal("first", Assert.Single(scrape.Of("thread_exporter_filter_matched_processes")).Labels["filter"]);
        Assert.Equal(0, scrape.Value("thread_exporter_config_last_reload_successful"));
        Assert.Equal(loadedAt, scrape.Value("thread_exporter_config_last_reload_success_timestamp_seconds"));
        Assert.NotEmpty(scrape.Of("perfscale_thread_cpu_seconds_total"));

        string page = await daemon.Http.GetStringAsync("/", TestContext.Current.CancellationToken);
        Assert.Contains("4:1: filter.colour", page, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", page, StringComparison.Ordinal);

        _config.Write(Other);
        daemon.Signal("HUP");
        await daemon.WaitForLogAsync("Configuration reloaded");
        Assert.Equal(1, (await daemon.ScrapeParsedAsync()).Value("thread_exporter_config_last_reload_successful"));
    }

    [Fact]
    public async Task POST_reload_returns_the_result()
    {
        await using Daemon daemon = await StartAsync();
        _config.Write(Bad);
        HttpResponseMessage bad = await daemon.Http.PostAsync("/-/reload", null, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.InternalServerError, bad.StatusCode);
        string text = await bad.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("4:1: filter.colour\n6:20: web.enable_lifecycle\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", text, StringComparison.Ordinal);
        _config.Write(Other);
        Assert.Equal(HttpStatusCode.OK, (await daemon.Http.PostAsync("/-/reload", null, TestContext.Current.CancellationToken)).StatusCode);
    }

    [Fact]
    public async Task Over_HTTP_PUT_is_POST()
    {
        await using Daemon daemon = await StartAsync();
        _config.Write(Other);
        Assert.Equal(HttpStatusCode.OK, (await daemon.Http.PutAsync("/-/reload", null, TestContext.Current.CancellationToken)).StatusCode);
        Assert.Equal("second", Assert.Single((await daemon.ScrapeParsedAsync()).Of("thread_exporter_filter_matched_processes")).Labels["filter"]);
        _config.Write(Bad);
        Assert.Equal(HttpStatusCode.InternalServerError, (await daemon.Http.PutAsync("/-/reload", null, TestContext.Current.CancellationToken)).StatusCode);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await daemon.Http.DeleteAsync("/-/reload", TestContext.Current.CancellationToken)).StatusCode);
    }

    [Fact]
    public async Task The_reload_command_waits_for_the_result()
    {
        await using Daemon daemon = await StartAsync();
        for (int i = 0; i < 5; i++)
        {
            _config.Write(i % 2 == 0 ? Other : Good);
            Assert.Equal((0, "", ""), await Daemon.RunAsync(["reload", $"{daemon.Pid}"], Environment));
            // No waiting: when the command returns, the new filters are active.
            Assert.Equal(i % 2 == 0 ? "second" : "first",
                Assert.Single((await daemon.ScrapeParsedAsync()).Of("thread_exporter_filter_matched_processes")).Labels["filter"]);
        }
        _config.Write(Bad);
        (int code, string output, string error) = await Daemon.RunAsync(["reload"], Environment);
        Assert.Equal((78, ""), (code, output));
        Assert.Equal([$"{_config.Path}:4:1:", $"{_config.Path}:6:20:"], error.TrimEnd().Split('\n').Select(l => l.Split(' ')[0]));
    }

    [Fact]
    public async Task The_reload_command_signals_only_a_daemon()
    {
        using Workload other = new();
        (int code, _, string error) = await Daemon.RunAsync(["reload", $"{other.Pid}"], Environment);
        Assert.Equal(1, code);
        Assert.Contains("is not a running thread-exporter", error, StringComparison.Ordinal);
        // A status file with the same pid and another start time belongs to an exited process.
        await File.WriteAllTextAsync(Path.Combine(_runtime.FullName, $"{other.Pid}.json"),
            $$"""{"pid":{{other.Pid}},"process_start":1,"started_at":1,"errors":[],"restart_keys":[]}""", TestContext.Current.CancellationToken);
        Assert.Equal(1, (await Daemon.RunAsync(["reload", $"{other.Pid}"], Environment)).ExitCode);
        // It still runs: SIGHUP would have ended it.
        other.Spawn("alive", "idle");
    }

    [Fact]
    public async Task A_hundred_SIGHUPs_in_a_second_under_scrapes_lose_nothing()
    {
        await using Daemon daemon = await StartAsync();
        using CancellationTokenSource stop = new();
        Task<int>[] scrapers = [.. Enumerable.Range(0, 2).Select(_ => Task.Run(async () =>
        {
            int scrapes = 0;
            while (!stop.IsCancellationRequested)
            {
                string filter = Assert.Single((await daemon.ScrapeParsedAsync()).Of("thread_exporter_filter_matched_processes")).Labels["filter"];
                Assert.True(filter is "first" or "second");
                scrapes++;
            }
            return scrapes;
        }))];
        for (int i = 1; i <= 100; i++)
        {
            _config.Write(i % 2 == 0 ? Good : Other);
            daemon.Signal("HUP");
            await Task.Delay(2, TestContext.Current.CancellationToken);
        }
        _config.Write(Other);
        await RunReloadAsync(daemon);
        await stop.CancelAsync();
        Assert.All(await Task.WhenAll(scrapers), n => Assert.True(n > 0));
        Assert.Equal("second", Assert.Single((await daemon.ScrapeParsedAsync()).Of("thread_exporter_filter_matched_processes")).Labels["filter"]);
        Assert.False(daemon.HasExited);
    }

    [Fact]
    public async Task A_SIGHUP_during_start_does_not_kill()
    {
        await using Daemon daemon = Daemon.Launch(["--config", _config.Path, "--web.listen-address", "127.0.0.1:0"], Environment);
        // The runtime itself takes some 30 ms before Main: until SIGHUP is caught (SigCgt bit 1) it ends the process.
        Eventually.True(() => CatchesHangup(daemon.Pid), "SIGHUP is caught");
        for (int i = 0; i < 50; i++)
        {
            daemon.Signal("HUP");
            await Task.Delay(3, TestContext.Current.CancellationToken);
        }
        await daemon.WaitForLogAsync("Configuration loaded");
        Assert.Equal(0, await daemon.StopAsync());
    }

    [Fact]
    public async Task A_changed_restart_key_is_reported_in_log_and_metric()
    {
        await using Daemon daemon = await StartAsync();
        _config.Write(Good + "telemetry_path = \"/other\"\n");
        await RunReloadAsync(daemon);
        await daemon.WaitForLogAsync("web.telemetry_path");
        Assert.Equal(1, (await daemon.ScrapeParsedAsync()).Value("thread_exporter_config_restart_required"));
        _config.Write(Good);
        await RunReloadAsync(daemon);
        Assert.Equal(0, (await daemon.ScrapeParsedAsync()).Value("thread_exporter_config_restart_required"));
    }

    [Fact]
    public async Task The_log_level_reloads()
    {
        await using Daemon daemon = await StartAsync();
        _config.Write(Good + "[log]\nlevel = \"error\"\n");
        await RunReloadAsync(daemon);
        _config.Write(Other + "[log]\nlevel = \"error\"\n");
        await RunReloadAsync(daemon);
        Assert.DoesNotContain("Configuration reloaded", daemon.Log, StringComparison.Ordinal);
        _config.Write(Good);
        await RunReloadAsync(daemon);
        await daemon.WaitForLogAsync("Configuration reloaded");
    }

    private static bool CatchesHangup(int pid)
    {
        string? line = File.ReadLines($"/proc/{pid}/status").FirstOrDefault(l => l.StartsWith("SigCgt:", StringComparison.Ordinal));
        return line is not null && (Convert.ToUInt64(line[7..].Trim(), 16) & 1) != 0;
    }

    private async Task RunReloadAsync(Daemon daemon)
    {
        (int code, _, string error) = await Daemon.RunAsync(["reload", $"{daemon.Pid}"], Environment);
        Assert.True(code == 0, $"exit code {code}: {error}\n{daemon.Log}");
    }

    private Task<Daemon> StartAsync() => Daemon.StartForReloadAsync(["--config", _config.Path], Environment);
}
