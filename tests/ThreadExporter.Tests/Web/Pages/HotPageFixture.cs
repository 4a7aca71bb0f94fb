using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Web.Pages;

/// <summary>
/// One browser, one daemon and one process with a few threads for all tests of the pages. Started by the first test: xunit creates the
/// fixture even when none of its tests run.
/// </summary>
public sealed class HotPageFixture : IAsyncDisposable
{
    private readonly Lazy<Task> _started;
    private TempConfig? _config;
    private Workload? _workload;
    private Browser? _browser;
    private Daemon? _daemon;
    private int _blocked;

    public HotPageFixture() => _started = new Lazy<Task>(() => Task.Run(StartAsync));

    internal Browser Browser => _browser ?? throw new InvalidOperationException("no browser");
    internal Workload Workload => _workload!;
    internal Daemon Daemon => _daemon!;

    /// <summary>The thread that uses the most CPU.</summary>
    public int Busiest { get; private set; }

    /// <summary>Starts them, once.</summary>
    public Task EnsureStartedAsync() => _started.Value;

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        if (_daemon is not null)
            await _daemon.DisposeAsync();
        if (_blocked > 0)
            _workload!.Do($"release {_blocked}");
        _workload?.Dispose();
        _config?.Dispose();
    }

    private async Task StartAsync()
    {
        _workload = new Workload();
        Busiest = _workload.Spawn("tp_osd_tp", "35");
        _workload.Spawn("bstore_kv_sync", "9");
        _workload.Spawn("msgr-worker-0", "5");
        _workload.Spawn("msgr-worker-1", "3");
        _workload.Spawn("rocksdb:low0", "1");
        _blocked = _workload.Get("steps blocked");
        _workload.Do($"post {_blocked} vfork");
        _config = new TempConfig($"[[filter]]\nname = \"osd\"\npid = {_workload.Pid}\n[[filter]]\nname = \"databases\"\nunit = \"mariadb.service\"\n");
        _daemon = await Daemon.StartAsync(["--config", _config.Path]);
        _browser = await Browser.StartAsync();
    }
}
