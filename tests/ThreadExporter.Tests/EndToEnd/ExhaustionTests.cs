using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ThreadExporter.Linux;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.EndToEnd;

/// <summary>
/// The daemon without free descriptors, disk space, memory or processes: it serves what it can, logs what it cannot, and recovers by itself.
/// </summary>
public class ExhaustionTests
{
    [SlowFact]
    public async Task Clients_that_use_every_descriptor_leave_a_reserve_and_cause_no_CPU_use()
    {
        using Workload workload = new();
        int tid = workload.Get("steps busy");
        await using Daemon daemon = await Daemon.StartAsync(["--filter", $"{workload.Pid}"]);
        int threads = (await daemon.ScrapeParsedAsync()).Of("perfscale_thread_cpu_seconds_total").Count();
        ulong limit = (ulong)Directory.GetFiles($"/proc/{daemon.Pid}/fd").Length + 70;
        ulong former = Libc.LimitOpenFiles(daemon.Pid, limit);
        List<TcpClient> hogs = [];
        for (int i = 0; i < 150; i++)
        {
            TcpClient hog = new();
            await hog.ConnectAsync(daemon.Http.BaseAddress!.Host, daemon.Http.BaseAddress.Port, TestContext.Current.CancellationToken);
            hogs.Add(hog);
        }
        await daemon.WaitForLogAsync("Not accepting connections");
        Task<string> waiting = Task.Run(() => RawGet(daemon), TestContext.Current.CancellationToken);
        Clocks.TryGetProcessCpu(daemon.Pid, out long before);
        long begin = Stopwatch.GetTimestamp();
        for (int i = 0; i < 5; i++)
        {
            workload.Do($"do {tid} burst 1000");
            await Task.Delay(200, TestContext.Current.CancellationToken);
            long cpu = Kernel.SchedStat(workload.Pid, tid).Cpu;
            // Over the open connection.
            Support.ParsedScrape scrape = await daemon.ScrapeParsedAsync();
            Assert.Equal(threads, scrape.Of("perfscale_thread_cpu_seconds_total").Count());
            Assert.True(scrape.Of("perfscale_thread_cpu_seconds_total").Single(s => s.Labels["tid"] == $"{tid}").Nanoseconds >= cpu);
            Assert.Equal(limit, scrape.Value("process_max_fds"));
            Assert.InRange(scrape.Value("process_open_fds"), limit - 40, limit - 10);
            Assert.Equal(0, scrape.Value("thread_exporter_read_errors_total", ("reason", "other")));
        }
        Clocks.TryGetProcessCpu(daemon.Pid, out long after);
        Assert.InRange((after - before) / (Stopwatch.GetElapsedTime(begin).TotalSeconds * 1e9), 0, 0.5);
        Assert.False(waiting.IsCompleted);

        foreach (TcpClient hog in hogs)
            hog.Dispose();
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", await waiting.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Single(daemon.Log.Split('\n'), line => line.Contains("Not accepting connections", StringComparison.Ordinal));
        Libc.LimitOpenFiles(daemon.Pid, former);
        Assert.Equal(0, await daemon.StopAsync());
    }

    [SlowFact]
    public async Task The_daemon_stops_while_no_connection_is_accepted()
    {
        await using Daemon daemon = await Daemon.StartAsync(["--filter", "nothing"]);
        await daemon.ScrapeAsync();
        Libc.LimitOpenFiles(daemon.Pid, (ulong)Directory.GetFiles($"/proc/{daemon.Pid}/fd").Length + 10);
        Task<string> waiting = Task.Run(() => RawGet(daemon), TestContext.Current.CancellationToken);
        await daemon.WaitForLogAsync("Not accepting connections");
        Assert.Equal(0, await daemon.StopAsync());
        await waiting.ContinueWith(_ => { }, TaskScheduler.Default);
    }

    [SlowFact]
    public async Task More_processes_than_descriptors_leave_room_for_the_scrape()
    {
        using FixtureProc proc = new();
        Process(proc, 1);
        using TempConfig config = new("[[filter]]\ncomm = \"many\"\n[collector]\nrescan_interval = \"100ms\"\n");
        await using Daemon daemon = await Daemon.StartAsync(["--config", config.Path, "--path.procfs", proc.Root]);
        ulong former = Libc.LimitOpenFiles(daemon.Pid, 500);
        for (int pid = 2; pid <= 600; pid++)
            Process(proc, pid);
        Support.ParsedScrape scrape = await daemon.ScrapeParsedAsync();
        int watched = scrape.Of("perfscale_process_threads").Count();
        Assert.InRange(watched, 150, 500 - 128);
        Assert.Equal(watched, scrape.Value("thread_exporter_descriptors"));
        Assert.Equal(600 - watched, scrape.Value("thread_exporter_read_errors_total", ("reason", "other")));
        string[] together = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => RawGet(daemon))));
        Assert.All(together, answer => Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer, StringComparison.Ordinal));

        Libc.LimitOpenFiles(daemon.Pid, former);
        Assert.Equal(600, (await daemon.ScrapeParsedAsync()).Of("perfscale_process_threads").Count());
    }

    [SlowFact]
    public async Task A_limit_lowered_below_the_kept_descriptors_closes_some_of_them()
    {
        using Workload workload = new();
        int[] tids = [.. Enumerable.Range(0, 300).Select(i => workload.Spawn($"t{i}", "idle"))];
        await using Daemon daemon = await Daemon.StartAsync(["--filter", $"{workload.Pid}"]);
        Assert.True((await daemon.ScrapeParsedAsync()).Value("thread_exporter_descriptors") > 300);
        Libc.LimitOpenFiles(daemon.Pid, 400);
        await daemon.ScrapeAsync();
        Support.ParsedScrape scrape = await daemon.ScrapeParsedAsync();
        Assert.InRange(scrape.Value("thread_exporter_descriptors"), 50, 400 - 256);
        Assert.Equal(tids.Length, scrape.Of("perfscale_thread_cpu_seconds_total").Count(s => s.Labels["tname"].StartsWith('t')));
        // There is room for new connections again.
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", await Task.Run(() => RawGet(daemon), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [SlowFact]
    public async Task Log_outputs_that_cannot_be_written_affect_the_log_only()
    {
        string runtime = Path.Combine(Directory.CreateTempSubdirectory("te-run-").FullName, "file");
        await File.WriteAllTextAsync(runtime, "in the way of the runtime directory", TestContext.Current.CancellationToken);
        using TempConfig config = new("[[filter]]\nmatch = \"thread-exporter\"\n[log]\nlevel = \"debug\"\nfile = \"/dev/full\"\n");
        using TcpListener free = new(IPAddress.Loopback, 0);
        free.Start();
        int port = ((IPEndPoint)free.LocalEndpoint).Port;
        free.Stop();
        using Process daemon = System.Diagnostics.Process.Start(new ProcessStartInfo("/bin/sh",
            ["-c", "exec \"$0\" --config \"$1\" --web.listen-address \"127.0.0.1:$2\" >/dev/full 2>&1", Daemon.Program, config.Path, $"{port}"])
        {
            Environment = { ["RUNTIME_DIRECTORY"] = runtime },
        })!;
        try
        {
            using HttpClient http = new() { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
            string text = "";
            await Eventually.TrueAsync(async () =>
            {
                try
                {
                    text = await http.GetStringAsync("/metrics", TestContext.Current.CancellationToken);
                    return true;
                }
                catch (HttpRequestException) when (!daemon.HasExited)
                {
                    return false;
                }
            }, "the daemon serves");
            Assert.Equal(0, Support.ParsedScrape.Parse(text).Value("thread_exporter_log_file_writable"));
            using Process kill = System.Diagnostics.Process.Start("/bin/kill", ["-HUP", $"{daemon.Id}"]);
            await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
            double loaded = Support.ParsedScrape.Parse(text).Value("thread_exporter_config_last_reload_success_timestamp_seconds");
            await Eventually.TrueAsync(
                async () => Support.ParsedScrape.Parse(await http.GetStringAsync("/metrics", TestContext.Current.CancellationToken))
                    .Value("thread_exporter_config_last_reload_success_timestamp_seconds") > loaded, "the configuration is reloaded");
        }
        finally
        {
            daemon.Kill();
            await daemon.WaitForExitAsync(TestContext.Current.CancellationToken);
            Directory.Delete(Path.GetDirectoryName(runtime)!, recursive: true);
        }
    }

    [SlowFact]
    public async Task A_heap_too_small_for_a_scrape_fails_the_scrape_but_not_the_daemon()
    {
        using LinkedProc proc = new();
        proc.Processes(1, 1);
        proc.Threads(1, 40_000);
        using TempConfig config = new("[[filter]]\nmatch = \"nothing\"\n");
        await using Daemon daemon = await Daemon.StartAsync(["--config", config.Path, "--path.procfs", proc.Root],
            // Hexadecimal: 16 MiB. Native code ignores a value with 0x.
            new Dictionary<string, string> { ["DOTNET_GCHeapHardLimit"] = "1000000" });
        Assert.Contains("thread_exporter_threads 0", await daemon.ScrapeAsync(), StringComparison.Ordinal);

        config.Write("[[filter]]\nmatch = \"other\"\n");
        daemon.Signal("HUP");
        await daemon.WaitForLogAsync("The first collection with the new configuration failed");
        for (int i = 0; i < 3; i++)
            Assert.Equal(HttpStatusCode.InternalServerError, (await daemon.Http.GetAsync("/metrics", TestContext.Current.CancellationToken)).StatusCode);
        await daemon.WaitForLogAsync("OutOfMemoryException");
        Assert.Equal(HttpStatusCode.OK, (await daemon.Http.GetAsync("/-/healthy", TestContext.Current.CancellationToken)).StatusCode);

        config.Write("[[filter]]\nmatch = \"nothing\"\n");
        daemon.Signal("HUP");
        await daemon.WaitForLogAsync($"reloaded from {config.Path}: filters 1, processes 0");
        Assert.Contains("thread_exporter_threads 0", await daemon.ScrapeAsync(), StringComparison.Ordinal);
        Assert.Equal(0, await daemon.StopAsync());
    }

    [SlowFact]
    public async Task Fifty_thousand_processes_can_be_scanned()
    {
        const int Processes = 50_000;
        using LinkedProc proc = new();
        proc.Processes(1, Processes);
        using TempConfig config = new("[[filter]]\nname = \"many\"\ncomm = \"no such process\"\nchildren = true\n[collector]\nrescan_interval = \"2s\"\n");
        await using Daemon daemon = await Daemon.StartAsync(["--config", config.Path, "--path.procfs", proc.Root]);
        double listed = (await daemon.ScrapeParsedAsync()).Value("thread_exporter_collect_duration_seconds", ("stage", "discover"));
        await Task.Delay(2100, TestContext.Current.CancellationToken);
        Support.ParsedScrape scrape = await daemon.ScrapeParsedAsync();
        double looked = scrape.Value("thread_exporter_collect_duration_seconds", ("stage", "discover"));
        TestContext.Current.TestOutputHelper!.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Processes} processes: discovery {listed * 1000:F0} ms between rescans, {looked * 1000:F0} ms in a rescan; resident {scrape.Value("process_resident_memory_bytes") / 1e6:F0} MB"));
        Assert.InRange(looked, 0, 20);
        Assert.Equal(0, scrape.Value("thread_exporter_descriptors"));
        Assert.Equal(0, scrape.Value("thread_exporter_filter_matched_processes"));
    }

    private static void Process(FixtureProc proc, int pid)
    {
        proc.Process(pid, "many");
        proc.Thread(pid, pid, "many"u8);
    }

    /// <summary>A scrape over a new connection.</summary>
    private static string RawGet(Daemon daemon)
    {
        using TcpClient client = new();
        client.Connect(daemon.Http.BaseAddress!.Host, daemon.Http.BaseAddress.Port);
        client.ReceiveTimeout = 30_000;
        using NetworkStream stream = client.GetStream();
        stream.Write("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"u8);
        using StreamReader reader = new(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
