using System.Collections.Immutable;
using System.Diagnostics;
using Microsoft.Extensions.Hosting.Systemd;
using ThreadExporter.Collection;
using ThreadExporter.Configuration;
using ThreadExporter.Exposition;
using ThreadExporter.Logging;
using ThreadExporter.Settings;
using ThreadExporter.Systemd;
using ThreadExporter.Text;

namespace ThreadExporter.Hosting;

/// <summary>Makes all reloads, one after the other, whatever requested them.</summary>
internal sealed class ReloadService(
    ReloadQueue requests,
    ConfigHolder holder,
    Collector collector,
    CollectionGate gate,
    ScrapeCoordinator scrapes,
    SelfMetrics metrics,
    LogSetup log,
    ISystemdNotifier notifier,
    ReloadStatusFile statusFile,
    ILogger<ReloadService> logger) : BackgroundService
{
    private long _busySince;

    /// <summary>When the current reload started (<see cref="Stopwatch"/> timestamp); 0 when none runs. For the watchdog.</summary>
    public long BusySince => Volatile.Read(ref _busySince);

    /// <summary>Publishes the result of the first load: metrics, reload status, one log record.</summary>
    public void Announce()
    {
        SetMetrics(holder.Last);
        LogActive("Configuration loaded");
        LogRoleErrors(holder.Current.Roles.Errors);
        Publish(holder.Last);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            List<TaskCompletionSource<ReloadResult>> waiting = await requests.TakeAsync(stoppingToken);
            Volatile.Write(ref _busySince, Stopwatch.GetTimestamp());
            try
            {
                ReloadResult result = await ReloadAsync();
                foreach (TaskCompletionSource<ReloadResult> completion in waiting)
                    completion.SetResult(result);
            }
            // Out of memory, for example. The active configuration stays, and the loop continues with the next reload.
            catch (Exception e)
            {
                logger.ReloadFailedInternally(e);
                foreach (TaskCompletionSource<ReloadResult> completion in waiting)
                    completion.TrySetException(e);
            }
            Volatile.Write(ref _busySince, 0);
        }
    }

    private async Task<ReloadResult> ReloadAsync()
    {
        notifier.TryNotify(ServiceStates.Reloading());
        ReloadResult result = holder.Reload();
        if (result.Succeeded)
            await ApplyAsync();
        // The metrics change before the log, and the log before the status file: a client that sees one can rely on those before it.
        SetMetrics(result);
        if (result.Succeeded)
            LogActive("Configuration reloaded");
        else
            LogErrors(result.Errors);
        Publish(result);
        notifier.TryNotify(ServiceState.Ready);
        return result;
    }

    private async Task ApplyAsync()
    {
        log.SetLevel(holder.Current.Config.Log.Level);
        // One collection with the new filters, so that the log and the status line show what they match.
        try
        {
            await scrapes.CollectAsync();
        }
        // Later scrapes report their own errors; the loop must continue with the next reload.
        catch (Exception e)
        {
            logger.FirstCollectionFailed(e);
        }
    }

    private void SetMetrics(ReloadResult result)
    {
        metrics.ReloadSuccessful.Set(result.Succeeded ? 1 : 0);
        if (result.Succeeded)
            metrics.ReloadTimestamp.Set(holder.Current.LoadedAt.ToUnixTimeMilliseconds() / 1000.0);
        metrics.RestartRequired.Set(result.RestartKeys.IsEmpty ? 0 : 1);
    }

    private void Publish(ReloadResult result)
    {
        foreach (string key in result.RestartKeys)
            logger.RestartRequired(key, holder.DisplayPath);
        if (!statusFile.TryWrite(result, holder.Path, out string? error))
            logger.StatusFileNotWritable(error);
        notifier.TryNotify(ServiceStates.Status(StatusText(holder, collector, gate)));
    }

    private void LogActive(string what)
    {
        ConfigSnapshot snapshot = holder.Current;
        (int processes, int threads) = gate.Inspect(() => (collector.Processes.Count, collector.Threads));
        logger.ConfigurationActive(what, holder.DisplayPath, snapshot.Config.Filters.Length, processes, threads);
        if (snapshot.Config.Filters.IsEmpty)
            logger.NoFilters();
        if (snapshot.TlsWarning is { } certificate)
            logger.Warning(certificate);
        foreach (string warning in gate.Inspect(() => snapshot.Matcher.TakeWarnings().Concat(collector.TakeWarnings())))
            logger.Warning(warning);
    }

    private void LogErrors(ImmutableArray<ConfigError> errors)
    {
        foreach (ConfigError error in errors)
            logger.ConfigurationError(error);
        logger.ReloadFailed(errors.Length, Files(errors), holder.Current.LoadedAt);
    }

    // Only at the start: a reload with such errors fails.
    private void LogRoleErrors(ImmutableArray<ConfigError> errors)
    {
        foreach (ConfigError error in errors)
            logger.ConfigurationError(error);
        if (!errors.IsEmpty)
            logger.RoleFilesLeftOut(Files(errors));
    }

    private static string Files(ImmutableArray<ConfigError> errors) => string.Join(", ", errors.Select(e => e.File).Distinct());

    /// <summary>The status line of <c>systemctl status</c>.</summary>
    public static string StatusText(ConfigHolder holder, Collector collector, CollectionGate gate)
    {
        (int processes, int threads) = gate.Inspect(() => (collector.Processes.Count, collector.Threads));
        string text = $"Watching {Plural.Count(processes, "process", "processes")} with {Plural.Count(threads, "thread", "threads")}";
        return holder.Last.Succeeded ? text : text + "; the last reload FAILED, the previous configuration remains active";
    }
}
