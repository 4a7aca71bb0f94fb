using System.Diagnostics;
using Microsoft.Extensions.Hosting.Systemd;
using ThreadExporter.Collection;
using ThreadExporter.Linux;
using ThreadExporter.Matching;
using ThreadExporter.Settings;
using ThreadExporter.Systemd;

namespace ThreadExporter.Hosting;

/// <summary>
/// Periodic work: notifies systemd's watchdog unless a collection or a reload has run for more than ten seconds, updates the
/// status line, looks up users again, logs the matcher's warnings, returns memory to the system.
/// </summary>
internal sealed class Housekeeping(
    ISystemdNotifier notifier, TimeSpan? watchdog, ConfigHolder holder, Collector collector, CollectionGate gate, ReloadService reloads, ILogger<Housekeeping> logger)
    : BackgroundService
{
    private static readonly TimeSpan Stuck = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    // After the start and the first scrape, which leave most of the garbage.
    private static readonly TimeSpan FirstTrim = TimeSpan.FromSeconds(2);

    private readonly HeapTrim _heap = new();
    private string _status = "";
    private long _scrapeSeen;
    private long _reloadSeen;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Half the watchdog timeout, as sd_watchdog_enabled(3) recommends.
        TimeSpan period = watchdog is { } allowed && allowed / 2 < Interval ? allowed / 2 : Interval;
        using PeriodicTimer timer = new(period);
        // Never so late that the first notification is: a short watchdog timeout would end the daemon.
        await Task.Delay(FirstTrim < period / 2 ? FirstTrim : period / 2, stoppingToken);
        _heap.Run(Clocks.MonotonicNanoseconds());
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            // Not ||: both calls must record what they saw.
            if (IsStuck(gate.BusySince, ref _scrapeSeen) | IsStuck(reloads.BusySince, ref _reloadSeen))
                continue;
            if (watchdog is not null)
                notifier.TryNotify(ServiceStates.WatchdogAlive);
            try
            {
                Tick();
            }
            // Out of memory, for example: the watchdog must still be notified.
            catch (Exception e)
            {
                logger.HousekeepingFailed(e);
            }
        }
    }

    private void Tick()
    {
        Matcher matcher = holder.Current.Matcher;
        // Does not wait: a directory server that hangs for minutes must not delay the watchdog.
        matcher.Users.LookUpDue();
        foreach (string warning in gate.Inspect(() => matcher.TakeWarnings().Concat(collector.TakeWarnings())))
            logger.Warning(warning);
        if (collector.Exits.Subscription.TakeNotice(out bool isWarning) is { } notice)
            logger.ExitRecords(isWarning ? LogLevel.Warning : LogLevel.Information, notice);
        foreach (string recovery in matcher.Users.TakeRecoveries())
            logger.Recovery(recovery);
        _heap.Run(Clocks.MonotonicNanoseconds());
        string status = ReloadService.StatusText(holder, collector, gate);
        if (notifier.IsEnabled && status != _status)
            notifier.TryNotify(ServiceStates.Status(_status = status));
    }

    /// <summary>
    /// Whether work has run for too long. Stuck only if the previous tick saw the same start time: otherwise the whole process may
    /// just have been suspended (SIGSTOP, a frozen machine).
    /// </summary>
    internal static bool IsStuck(long busySince, ref long seenBefore)
    {
        bool same = busySince == seenBefore;
        seenBefore = busySince;
        return same && busySince != 0 && Stopwatch.GetElapsedTime(busySince) > Stuck;
    }
}
