using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Soak;

/// <summary>
/// The daemon under load: threads and processes that start and exit, valid and invalid reloads, two scrapers, slow clients and clients that
/// send invalid requests. One minute by default; <c>make soak</c> runs ten (SOAK_SECONDS).
/// </summary>
public sealed partial class SoakTests(ITestOutputHelper output) : IDisposable
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(
        int.TryParse(Environment.GetEnvironmentVariable("SOAK_SECONDS"), NumberStyles.None, CultureInfo.InvariantCulture, out int seconds) ? seconds : 60);

    private readonly CancellationTokenSource _stop = new();
    private readonly Workload _steady = new();
    private readonly Workload _churning = new();
    private readonly List<Task> _troubles = [];
    private readonly Ledger _ledger = new(LedgerScope.SomeCollections);
    private long _scrapes;
    private long _compared;
    private long _reloads;
    private long _abuses;

    public void Dispose()
    {
        _steady.Dispose();
        _churning.Dispose();
        _stop.Dispose();
    }

    [SlowFact]
    public async Task Under_churn_reloads_and_bad_clients_no_scrape_fails_and_nothing_grows()
    {
        foreach (string mode in (string[])["5", "10", "idle", "idle"])
            _steady.Spawn("steady-" + mode, mode);
        using TempConfig config = new(GoodConfig(0));
        await using Daemon daemon = await Daemon.StartAsync(["--config", config.Path]);
        using Process processes = Process.Start("/bin/sh", ["-c", "while :; do /bin/true; sleep 0.05 & wait; done"]);
        try
        {
            Trouble(() =>
            {
                _churning.Churn(5, 1);
                return Task.Delay(50);
            });
            Trouble(() => ReloadAsync(daemon, config));
            Trouble(() => AbuseAsync(daemon));
            Trouble(() => OtherScrapeAsync(daemon));

            // After half of the time all code has run and been compiled.
            await ScrapeForAsync(daemon, Length / 2);
            (long memory, int descriptors) = Footprint(daemon);
            await ScrapeForAsync(daemon, Length / 4);
            await _stop.CancelAsync();
            await Task.WhenAll(_troubles);
            processes.Kill();

            // Then with one scraper, which makes all the collections.
            await ScrapeForAsync(daemon, Length / 4);
            (long memoryAtEnd, int descriptorsAtEnd) = Footprint(daemon);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{Length.TotalSeconds} s: {_scrapes} scrapes, {_compared} counters compared, {_reloads} reloads, {_abuses} abuses, {_ledger.Intervals} times the CPU time of a process added up; RssAnon {memory / 1024} -> {memoryAtEnd / 1024} kB, descriptors besides those on threads {descriptors} -> {descriptorsAtEnd}"));
            Assert.InRange(memoryAtEnd, 0, memory * 5 / 4 + (8 << 20));
            Assert.InRange(descriptorsAtEnd, 0, descriptors + 10);
        }
        finally
        {
            processes.Kill();
            await _stop.CancelAsync();
        }
        Assert.DoesNotContain("please report it", daemon.Log, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("collection failed", daemon.Log, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(0, await daemon.StopAsync());
    }

    /// <summary>Scrapes five times a second and compares each scrape with the previous one.</summary>
    private async Task ScrapeForAsync(Daemon daemon, TimeSpan time)
    {
        long begin = Stopwatch.GetTimestamp();
        Support.ParsedScrape before = await daemon.ScrapeParsedAsync();
        _ledger.Take(before);
        while (Stopwatch.GetElapsedTime(begin) < time)
        {
            await Task.Delay(200);
            // A task that has ended early has failed: its exception is thrown here.
            foreach (Task trouble in _troubles.Where(t => t.IsFaulted))
                await trouble;
            Support.ParsedScrape after = await daemon.ScrapeParsedAsync();
            _scrapes++;
            foreach ((string series, Sample sample) in after.Series)
            {
                // Processes that churn reuse tids; the steady ones and the exporter do not.
                bool isStable = !sample.Labels.ContainsKey("daemon") || sample.Labels.Values.Contains($"{_steady.Pid}");
                if (!isStable || !sample.Name.EndsWith("_total", StringComparison.Ordinal) || !before.Series.TryGetValue(series, out Sample? earlier))
                    continue;
                _compared++;
                Assert.True(sample.Number >= earlier.Number, $"{series} decreased from {earlier.Value} to {sample.Value}");
            }
            Assert.Equal(2, after.Of("perfscale_thread_cpu_seconds_total").Count(s => s.Labels.GetValueOrDefault("tname") == "steady-idle"));
            _ledger.Take(after);
            Assert.Null(_ledger.Error);
            before = after;
        }
    }

    private void Trouble(Func<Task> step) => _troubles.Add(Task.Run(async () =>
    {
        while (!_stop.IsCancellationRequested)
            await step();
    }));

    private static async Task OtherScrapeAsync(Daemon daemon)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, "/metrics");
        request.Headers.Accept.ParseAdd("application/openmetrics-text; version=1.0.0");
        request.Headers.AcceptEncoding.ParseAdd("gzip");
        using HttpResponseMessage response = await daemon.Http.SendAsync(request);
        Assert.Equal(200, (int)response.StatusCode);
        using StreamReader reader = new(new GZipStream(await response.Content.ReadAsStreamAsync(), CompressionMode.Decompress));
        Assert.EndsWith("# EOF\n", await reader.ReadToEndAsync(), StringComparison.Ordinal);
        await Task.Delay(330);
    }

    private async Task ReloadAsync(Daemon daemon, TempConfig config)
    {
        long reload = Interlocked.Increment(ref _reloads);
        config.Write(reload % 5 == 4 ? "[[filter]]\nnonsense = 1\n" : GoodConfig(reload));
        daemon.Signal("HUP");
        await Task.Delay(700);
    }

    // The steady workload is always watched, by one filter or another.
    private string GoodConfig(long variant) =>
        $"""
        [[filter]]
        name = "filter {variant % 3}"
        pid = {(variant % 2 == 0 ? $"[{_steady.Pid}, {_churning.Pid}]" : $"[{_steady.Pid}]")}
        [[filter]]
        name = "short"
        comm = ["sh", "true", "sleep"]
        [collector]
        max_descriptors = {(variant % 4 == 3 ? 3 : 10000)}
        """ + "\n";

    /// <summary>A client that sends half a request and waits, and one that sends invalid requests.</summary>
    private async Task AbuseAsync(Daemon daemon)
    {
        using TcpClient slow = new(), bad = new();
        Uri address = daemon.Http.BaseAddress!;
        await slow.ConnectAsync(address.Host, address.Port);
        await slow.GetStream().WriteAsync("GET /metrics HTTP/1.1\r\nHost: loc"u8.ToArray());
        await bad.ConnectAsync(address.Host, address.Port);
        byte[] nonsense = new byte[200];
        Random.Shared.NextBytes(nonsense);
        await bad.GetStream().WriteAsync(_abuses % 2 == 0 ? nonsense : "GET /metrics HTTP/9.9\r\nContent-Length: -1\r\n\r\n"u8.ToArray());
        Interlocked.Increment(ref _abuses);
        await Task.Delay(100);
        // One does not read the response, the other disconnects.
        await slow.GetStream().WriteAsync("alhost\r\n\r\n"u8.ToArray());
        await Task.Delay(100);
    }

    /// <summary>Anonymous memory in bytes, and the number of descriptors that are not on /proc.</summary>
    private static (long Memory, int Descriptors) Footprint(Daemon daemon)
    {
        long kilobytes = long.Parse(RssAnon().Match(File.ReadAllText($"/proc/{daemon.Pid}/status")).Groups[1].Value, CultureInfo.InvariantCulture);
        int descriptors = Directory.GetFiles($"/proc/{daemon.Pid}/fd").Count(fd => File.ResolveLinkTarget(fd, false)?.FullName.StartsWith("/proc/", StringComparison.Ordinal) != true);
        return (kilobytes * 1024, descriptors);
    }

    [GeneratedRegex(@"RssAnon:\s+([0-9]+) kB")]
    private static partial Regex RssAnon();
}
