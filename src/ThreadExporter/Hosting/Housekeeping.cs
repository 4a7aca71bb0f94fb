using System.Diagnostics;
using Microsoft.Extensions.Hosting.Systemd;
using ThreadExporter.Collection;
using ThreadExporter.Matching;
using ThreadExporter.Settings;
using ThreadExporter.Systemd;

namespace ThreadExporter.Hosting;

/// <summary>
/// What is done now and then: feed systemd's watchdog unless a collection or a reload has run longer than ten seconds,
/// keep the status line true, look up users again, say what the matcher wants a person to know.
/// </summary>
internal sealed class Housekeeping(
    ISystemdNotifier notifier, TimeSpan? watchdog, ConfigHolder state, Collector collector, CollectionGate gate, ReloadService reloads, ILogger<Housekeeping> logger)
    : BackgroundService
{
    private static readonly TimeSpan Stuck = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private string _status = "";
    private long _scrapeSeen;
    private long _reloadSeen;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Half of what systemd allows, as sd_watchdog_enabled(3) advises.
        TimeSpan period = watchdog is { } allowed && allowed / 2 < Interval ? allowed / 2 : Interval;
        using PeriodicTimer timer = new(period);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            // Not ||: both are to be remembered.
            if (IsStuck(gate.BusySince, ref _scrapeSeen) | IsStuck(reloads.BusySince, ref _reloadSeen))
                continue;
            if (watchdog is not null)
                notifier.TryNotify(ServiceStates.WatchdogAlive);
            try
            {
                Tick();
            }
            // Out of memory, say: the watchdog must be fed all the same.
            catch (Exception e)
            {
                logger.LogError(e, "Housekeeping failed; it tries again");
            }
        }
    }

    private void Tick()
    {
        Matcher matcher = state.Current.Matcher;
        // It does not wait: a directory server that does not answer for minutes must not delay the watchdog.
        matcher.Users.LookUpDue();
        foreach (string warning in gate.Inspect(() => matcher.TakeWarnings().Concat(collector.TakeWarnings())))
            logger.LogWarning("{Warning}", warning);
        foreach (string recovery in matcher.Users.TakeRecoveries())
            logger.LogInformation("{Recovery}", recovery);
        string status = ReloadService.StatusText(state, collector, gate);
        if (notifier.IsEnabled && status != _status)
            notifier.TryNotify(ServiceStates.Status(_status = status));
    }

    /// <summary>
    /// Whether a work began long ago, and stood already at the tick before: the time between two ticks alone may have been a pause of the
    /// whole daemon (SIGSTOP, a frozen machine), in which nothing could be done.
    /// </summary>
    internal static bool IsStuck(long busySince, ref long seenBefore)
    {
        bool same = busySince == seenBefore;
        seenBefore = busySince;
        return same && busySince != 0 && Stopwatch.GetElapsedTime(busySince) > Stuck;
    }
}
