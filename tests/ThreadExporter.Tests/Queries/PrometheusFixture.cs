using System.Diagnostics;
using System.Globalization;
using System.Text;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Queries;

/// <summary>
/// A real Prometheus that has scraped our daemon as packaging/prometheus/prometheus.yml specifies, but every second, while the daemon watched
/// two processes that do what real ones do (a hot thread, two that wait for the same CPU, bursts, threads that start and exit) and two shells
/// that fork. Started once, by the first test that uses it: xunit creates the fixture even when none of its tests is to run.
/// </summary>
public sealed class PrometheusFixture : IAsyncDisposable
{
    private const int Scrapes = 12;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("te-prometheus-").FullName;
    private readonly CancellationTokenSource _end = new();
    private readonly List<Task> _work = [];
    private readonly List<Workload> _processes = [];
    private readonly List<Process> _shells = [];
    private readonly Lazy<Task> _started;
    private readonly FixtureCgroups _cgroups = new();
    private TempConfig? _config;
    private Daemon? _daemon;
    private PrometheusServer? _server;

    public PrometheusFixture() => _started = new Lazy<Task>(() => Task.Run(StartAsync));

    internal PrometheusServer Server
    {
        get
        {
            EnsureStarted();
            return _server!;
        }
    }

    /// <summary>The instance label of the daemon.</summary>
    internal string Instance
    {
        get
        {
            EnsureStarted();
            return _daemon!.Http.BaseAddress!.Authority;
        }
    }

    /// <summary>The pid of the process whose threads have a series each; its comm is ceph-osd.</summary>
    internal int Osd
    {
        get
        {
            EnsureStarted();
            return _processes[0].Pid;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_end.IsCancellationRequested)
            return;
        await _end.CancelAsync();
        await Task.WhenAll(_work);
        if (_server is not null)
            await _server.DisposeAsync();
        if (_daemon is not null)
            await _daemon.DisposeAsync();
        _config?.Dispose();
        _cgroups.Dispose();
        foreach (Workload process in _processes)
            process.Dispose();
        foreach (Process shell in _shells)
        {
            shell.Kill(entireProcessTree: true);
            shell.Dispose();
        }
        _end.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private void EnsureStarted()
    {
        Assert.SkipUnless(File.Exists(PrometheusServer.Program), $"{PrometheusServer.Program} is not installed");
        _started.Value.GetAwaiter().GetResult();
    }

    private async Task StartAsync()
    {
        StartWork();
        // Half a core counts as full burn: others use this machine too.
        _config = new TempConfig($"""
            [[filter]]
            name = "osd"
            pid = [{_processes[0].Pid}]
            [[filter]]
            name = "database"
            pid = [{_processes[1].Pid}]
            [filter.threads]
            detail = "name"
            [[filter]]
            name = "forking"
            pid = [{_shells[0].Id}]
            children = true
            group = true
            [[filter]]
            name = "parent"
            pid = [{_shells[1].Id}]
            children = true
            [[filter]]
            name = "nothing"
            comm = "no-such-process"
            [collector]
            cgroupfs = "{_cgroups.Root}"
            [sampler]
            saturation = 0.5
            """);
        _daemon = await Daemon.StartAsync(["--config", _config.Path]);
        string config = Path.Combine(_folder, "prometheus.yml");
        await File.WriteAllTextAsync(config, (await File.ReadAllTextAsync(Repository.File("packaging/prometheus/prometheus.yml")))
            .Replace("localhost:9199", _daemon.Http.BaseAddress!.Authority, StringComparison.Ordinal)
            .Replace("scrape_interval: 15s", "scrape_interval: 1s", StringComparison.Ordinal)
            .Replace("evaluation_interval: 15s", "evaluation_interval: 1s", StringComparison.Ordinal)
            .Replace("rules/", Repository.File("packaging/prometheus/rules/"), StringComparison.Ordinal));
        _server = await PrometheusServer.StartAsync(config, _folder);
        await Eventually.TrueAsync(
            async () => await _server.QueryAsync("count_over_time(up[5m])") is [{ Value: >= Scrapes }, ..],
            $"{Scrapes} scrapes", () => Task.FromResult($"{_server.Log}\n{_daemon.Log}"), Timeout);
    }

    // Of files, because a real limit would need root: a limit of two cores that is used up in half of the periods.
    private void StartCgroups()
    {
        string path = File.ReadLines("/proc/self/cgroup").Single(static l => l.StartsWith("0::", StringComparison.Ordinal))["0::/".Length..];
        _cgroups.MountVersion2();
        int second = 100;
        void Write()
        {
            second++;
            _cgroups.Version2(path, usage: second * 1_500_000L, periods: second * 10, throttledPeriods: second * 5, throttled: second * 400_000L, max: "200000 100000", pressure: second * 300_000L);
        }
        Write();
        _work.Add(Repeat(TimeSpan.FromSeconds(1), Write));
    }

    private void StartWork()
    {
        StartCgroups();
        // Each child uses some hundredths of a second and is gone before the next scrape.
        for (int i = 0; i < 2; i++)
            _shells.Add(Process.Start("/bin/sh", ["-c", "while :; do (j=0; while [ $j -lt 20000 ]; do j=$((j + 1)); done); sleep 0.3; done"]));
        (Workload osd, Workload database) = (Named("ceph-osd"), Named("mariadbd"));
        foreach ((string name, string mode) in (ReadOnlySpan<(string, string)>)[("tp_osd_tp", "burn"), ("bstore_aio", "30"), ("bstore_kv_sync", "30")])
            osd.Do($"pin {osd.Spawn(name, mode)} 0");
        osd.Spawn("idle", "idle");
        int bursts = osd.Get("steps msgr-worker-0");
        for (int i = 0; i < 4; i++)
            database.Spawn("connection", "5");
        _work.Add(Repeat(TimeSpan.FromSeconds(1), () =>
        {
            osd.Do(string.Create(CultureInfo.InvariantCulture, $"do {bursts} burst 250000"));
            osd.Do("churn 3 20");
        }));
        _work.Add(Repeat(TimeSpan.FromSeconds(2), () => database.Do("churn 2 30")));
    }

    /// <summary>A process whose leading thread, and so the process, has this name.</summary>
    private Workload Named(string name)
    {
        Workload process = new();
        _processes.Add(process);
        process.Rename(process.Pid, Encoding.UTF8.GetBytes(name));
        return process;
    }

    private Task Repeat(TimeSpan pause, Action work) => Task.Run(async () =>
    {
        while (!_end.IsCancellationRequested)
        {
            work();
            await Task.Delay(pause, _end.Token).ContinueWith(_ => { }, TaskScheduler.Default);
        }
    });
}

/// <summary>The tests that query this Prometheus.</summary>
[CollectionDefinition(nameof(PrometheusGroup))]
public sealed class PrometheusGroup : ICollectionFixture<PrometheusFixture>;
