using ThreadExporter.Linux;
using ThreadExporter.Settings;

namespace ThreadExporter.Hosting;

/// <summary>
/// <c>web.watch_config</c>: has the file reloaded when another stands at its path than the last load found, whoever asked
/// for that load. Looks once a second, where inotify would be told nothing of what matters (docs/decisions/0010).
/// </summary>
internal sealed class ConfigFileWatcher(string path, ConfigHolder state, ReloadQueue requests, ILogger<ConfigFileWatcher> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        string fullPath = Path.GetFullPath(path);
        FileIdentity before = state.Last.File;
        using PeriodicTimer timer = new(Interval);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            FileIdentity now = FileIdentity.Read(fullPath);
            // A file that changes from look to look is being written, and is left to come to rest. A bad one is not asked
            // for again before it changes: the load that failed has found it.
            if (now == before && now != state.Last.File)
            {
                logger.LogInformation("{ConfigFile} has changed", path);
                await requests.RequestAsync().WaitAsync(stoppingToken);
            }
            before = now;
        }
    }
}
