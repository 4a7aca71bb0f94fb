using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Web;

/// <summary>One browser, one daemon and one process with a few threads for all tests of the pages.</summary>
public sealed class HotPageFixture : IAsyncLifetime
{
    private TempConfig? _config;
    private Workload? _workload;
    private Browser? _browser;
    private Daemon? _daemon;

    internal Browser Browser => _browser ?? throw new InvalidOperationException("no browser");
    internal Workload Workload => _workload!;
    internal Daemon Daemon => _daemon!;

    /// <summary>The thread that burns most.</summary>
    public int Hottest { get; private set; }

    public async ValueTask InitializeAsync()
    {
        if (!Browser.IsInstalled)
            return;
        _workload = new Workload();
        Hottest = _workload.Spawn("tp_osd_tp", "35");
        _workload.Spawn("bstore_kv_sync", "9");
        _workload.Spawn("msgr-worker-0", "5");
        _workload.Spawn("msgr-worker-1", "3");
        _workload.Spawn("rocksdb:low0", "1");
        _config = new TempConfig($"[[filter]]\nname = \"osd\"\npid = {_workload.Pid}\n[[filter]]\nname = \"databases\"\nunit = \"mariadb.service\"\n");
        _daemon = await Daemon.StartAsync(["--config", _config.Path]);
        _browser = await Browser.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        if (_daemon is not null)
            await _daemon.DisposeAsync();
        _workload?.Dispose();
        _config?.Dispose();
    }
}
