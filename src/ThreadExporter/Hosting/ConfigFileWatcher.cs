using ThreadExporter.Linux;
using ThreadExporter.Settings;

namespace ThreadExporter.Hosting;

/// <summary>
/// <c>web.watch_config</c>: requests a reload when the file's identity differs from the one the last load found. Polls once a second,
/// because inotify misses the changes that matter (docs/decisions/0010).
/// </summary>
internal sealed class ConfigFileWatcher(string path, ConfigHolder holder, ReloadQueue requests, ILogger<ConfigFileWatcher> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        string fullPath = Path.GetFullPath(path);
        FileIdentity before = holder.Last.File;
        using PeriodicTimer timer = new(Interval);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            FileIdentity now = FileIdentity.Read(fullPath);
            // A file that changed since the previous poll is still being written: wait until it settles. An invalid file is not
            // requested again until it changes, because the failed load recorded its identity.
            if (now == before && now != holder.Last.File)
            {
                logger.ConfigFileChanged(path);
                await requests.RequestAsync().WaitAsync(stoppingToken);
            }
            before = now;
        }
    }
}
