using System.Diagnostics;
using Microsoft.Extensions.Hosting.Systemd;
using ThreadExporter.Exposition;
using ThreadExporter.Systemd;

namespace ThreadExporter.Hosting;

/// <summary>
/// Feeds systemd's watchdog unless a collection or a reload has run longer than ten seconds, and keeps the status line true.
/// </summary>
internal sealed class WatchdogLoop(ISystemdNotifier notifier, TimeSpan? interval, ConfigState state, Scrapes scrapes, ReloadLoop reloads)
    : BackgroundService
{
    private static readonly TimeSpan Stuck = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StatusInterval = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!notifier.IsEnabled)
            return;
        // Half of what systemd allows, as sd_watchdog_enabled(3) advises.
        TimeSpan period = interval is { } allowed && allowed / 2 < StatusInterval ? allowed / 2 : StatusInterval;
        using PeriodicTimer timer = new(period);
        string status = "";
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            if (IsStuck(scrapes.BusySince) || IsStuck(reloads.BusySince))
                continue;
            if (interval is not null)
                notifier.TryNotify(ServiceStates.WatchdogAlive);
            string now = ReloadLoop.StatusText(state, scrapes);
            if (now != status)
                notifier.TryNotify(ServiceStates.Status(status = now));
        }
    }

    private static bool IsStuck(long busySince) => busySince != 0 && Stopwatch.GetElapsedTime(busySince) > Stuck;
}
