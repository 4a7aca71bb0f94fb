using System.Diagnostics;
using System.Net;
using System.Text.Json;
using ThreadExporter.Recording;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Recording;

/// <summary>The daemon while its disk is full, read-only, blocked or without a library, and when it is killed.</summary>
public sealed class RecorderFaultTests(ITestOutputHelper output) : IDisposable
{
    private readonly RecorderFolder _folder = new();
    private readonly Workload _workload = new();

    public void Dispose()
    {
        _workload.Dispose();
        _folder.Dispose();
    }

    [SlowFact]
    public async Task Killed_a_hundred_times_it_loses_one_interval_at_most_and_every_database_opens()
    {
        _workload.Spawn("burner", "20");
        using TempConfig config = new($"[[filter]]\npid = {_workload.Pid}\n[recorder]\ninterval = \"1s\"\n");
        Random random = new(1);
        int most = 0;
        long before = 0;
        for (int i = 0; i < 100; i++)
        {
            await using (Daemon daemon = await Daemon.StartAsync(["--config", config.Path], new Dictionary<string, string> { ["STATE_DIRECTORY"] = _folder.Path }))
            {
                await daemon.WaitForLogAsync("Recording the hottest threads");
                await Task.Delay(random.Next(0, 2000), TestContext.Current.CancellationToken);
                before += (long)(await daemon.ScrapeParsedAsync()).Value("thread_exporter_recorder_intervals_total");
                // SIGKILL.
            }
            if (i % 10 != 9)
                continue;
            using RecorderStore store = _folder.Open();
            int kept = (int)store.Database.Number("SELECT count(*) FROM interval");
            SqliteStatement check = store.Database.Prepare("PRAGMA integrity_check");
            Assert.Equal("ok", check.Step() ? check.Text(0) : "");
            // An interval that was counted is kept. One that was written after the last scrape may be there, too.
            most = Math.Max(most, (int)(before - kept));
            before = kept;
        }
        output.WriteLine($"intervals lost that a scrape had counted: {most} at most");
        Assert.True(most <= 0, $"{most} were lost");
        Assert.Empty(_folder.Aside);
    }

    [SlowFact]
    public async Task A_full_disk_is_one_line_and_scrapes_and_questions_go_on()
    {
        await using Daemon daemon = await StartAsync($"mount -t tmpfs -o size=200k none {_folder.Path}");
        // A burner with many threads fills it.
        for (int i = 0; i < 40; i++)
            _workload.Spawn($"worker-{i}", "2");
        await daemon.WaitForLogAsync("Cannot record to");
        Assert.Contains("database or disk is full", daemon.Log, StringComparison.Ordinal);
        await Eventually.TrueAsync(async () => (await daemon.ScrapeParsedAsync()).Value("thread_exporter_recorder_intervals_lost_total") >= 3, "intervals are lost");
        Assert.Equal(1, daemon.Log.Split("Cannot record to").Length - 1);
        using HttpResponseMessage report = await daemon.Http.GetAsync("/api/v1/report", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, report.StatusCode);
        Assert.Equal(0, await daemon.StopAsync());
    }

    [SlowFact]
    public async Task A_read_only_directory_is_one_line_and_scrapes_go_on()
    {
        await using Daemon daemon = await StartAsync($"mount -t tmpfs -o ro none {_folder.Path}");
        await daemon.WaitForLogAsync("Cannot record to");
        Assert.Contains("Read-only file system", daemon.Log, StringComparison.OrdinalIgnoreCase);
        await Eventually.TrueAsync(async () => (await daemon.ScrapeParsedAsync()).Value("thread_exporter_recorder_intervals_lost_total") >= 3, "intervals are lost");
        Assert.Equal(1, daemon.Log.Split("Cannot record to").Length - 1);
        using HttpResponseMessage moment = await daemon.Http.GetAsync("/api/v1/hot?at=1", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, moment.StatusCode);
        Assert.Equal("1", moment.Headers.RetryAfter!.ToString());
        Assert.Equal(0, await daemon.StopAsync());
    }

    [SlowFact]
    public async Task A_missing_library_is_one_line()
    {
        string library = (await ReadAsync("ldconfig", "-p")).Split('\n').First(l => l.Contains("libsqlite3.so.0 ", StringComparison.Ordinal)).Split("=> ")[1].Trim();
        await using Daemon daemon = await StartAsync($"mount --bind /dev/null {library}");
        await daemon.WaitForLogAsync("The recorder is off: this system has no libsqlite3.so.0 (package sqlite-libs or libsqlite3-0)");
        Assert.Equal(0, (await daemon.ScrapeParsedAsync()).Value("thread_exporter_recorder_enabled"));
        Assert.Equal(0, await daemon.StopAsync());
    }

    /// <summary>A frozen file system is a disk that does not respond: writes to it wait.</summary>
    [SlowFact]
    public async Task A_disk_that_blocks_delays_no_scrape_and_questions_fail()
    {
        string image = Path.Combine(Path.GetTempPath(), $"te-disk-{Environment.ProcessId}.img");
        string mark = Path.Combine(_folder.Path, "..", Path.GetFileName(image) + ".freeze");
        Assert.SkipUnless(File.Exists("/usr/sbin/mkfs.ext4") && File.Exists("/usr/sbin/fsfreeze"), "needs mkfs.ext4 and fsfreeze(8)");
        try
        {
            await using Daemon daemon = await StartAsync($"truncate -s 16M {image}; mkfs.ext4 -q {image}; mount -o loop {image} {_folder.Path}"
                + $"; (while [ ! -e {mark} ]; do sleep 0.1; done; fsfreeze -f {_folder.Path}; while [ -e {mark} ]; do sleep 0.1; done; fsfreeze -u {_folder.Path}) &");
            await Eventually.TrueAsync(async () => (await daemon.ScrapeParsedAsync()).Value("thread_exporter_recorder_intervals_total") >= 2, "intervals are written", () => Task.FromResult(daemon.Log));
            await File.WriteAllTextAsync(mark, "", TestContext.Current.CancellationToken);
            await Eventually.TrueAsync(async () => (await daemon.ScrapeParsedAsync()).Value("thread_exporter_recorder_intervals_lost_total") >= 1, "the queue is full");
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < 20; i++)
                await daemon.ScrapeAsync();
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(5), "scrapes do not wait");
            using HttpResponseMessage moment = await daemon.Http.GetAsync("/api/v1/hot?at=1", TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, moment.StatusCode);
            JsonElement body = JsonDocument.Parse(await moment.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement;
            Assert.Equal("the recorder's database does not respond", body.GetProperty("error").GetString());
            File.Delete(mark);
            await Eventually.TrueAsync(async () => (await daemon.Http.GetAsync("/api/v1/report", TestContext.Current.CancellationToken)).StatusCode == HttpStatusCode.OK, "it goes on");
            Assert.Equal(0, await daemon.StopAsync());
        }
        finally
        {
            File.Delete(mark);
            File.Delete(image);
        }
    }

    /// <summary>Starts the daemon in a mount namespace of its own, after a command there.</summary>
    private async Task<Daemon> StartAsync(string command)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/usr/bin/unshare"), "needs root and unshare(1) for a mount");
        using TempConfig config = new($"[[filter]]\npid = {_workload.Pid}\n[recorder]\ninterval = \"1s\"\ndirectory = \"{_folder.Path}\"\n");
        return await Daemon.StartAsync(["--config", config.Path], through: ["/usr/bin/unshare", "--mount", "--propagation", "private", "sh", "-euc", command + "\nexec \"$0\" \"$@\""]);
    }

    private static async Task<string> ReadAsync(string program, string argument)
    {
        using Process process = Process.Start(new ProcessStartInfo("/sbin/" + program, [argument]) { RedirectStandardOutput = true })!;
        return await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
    }
}
