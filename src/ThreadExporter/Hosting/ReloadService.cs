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

/// <summary>The one place where reloads happen, one after the other, whoever asked.</summary>
internal sealed class ReloadService(
    ReloadQueue requests,
    ConfigHolder state,
    Collector collector, CollectionGate gate, ScrapeCoordinator scrapes,
    SelfMetrics metrics,
    LogSetup log,
    ISystemdNotifier notifier,
    ReloadStatusFile verdicts,
    ILogger<ReloadService> logger) : BackgroundService
{
    private long _busySince;

    /// <summary>When the reload being made began (<see cref="Stopwatch"/> timestamp); 0 when none is. For the watchdog.</summary>
    public long BusySince => Volatile.Read(ref _busySince);

    /// <summary>Makes the state of the first load known: metric, verdict, one line of log.</summary>
    public void Announce()
    {
        SetMetrics(state.Last);
        LogActive("Configuration loaded");
        Publish(state.Last);
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
                foreach (TaskCompletionSource<ReloadResult> answer in waiting)
                    answer.SetResult(result);
            }
            // Out of memory, say. What is in force stays, and the loop lives to take the next reload.
            catch (Exception e)
            {
                logger.LogError(e, "A reload could not be finished");
                foreach (TaskCompletionSource<ReloadResult> answer in waiting)
                    answer.TrySetException(e);
            }
            Volatile.Write(ref _busySince, 0);
        }
    }

    private async Task<ReloadResult> ReloadAsync()
    {
        notifier.TryNotify(ServiceStates.Reloading());
        ReloadResult result = state.Reload();
        if (result.Succeeded)
            await ApplyAsync();
        // What the log says is already true of the metrics, and what the reload command reports is already in the log.
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
        log.SetLevel(state.Current.Config.Log.Level);
        // One collection with the new filters, so that the log and the status can say what they match.
        try
        {
            await scrapes.CollectAsync();
        }
        // The scrapes that follow fail or not by themselves; the loop must live to take the next reload.
        catch (Exception e)
        {
            logger.LogError(e, "The first collection with the new configuration failed");
        }
    }

    private void SetMetrics(ReloadResult result)
    {
        metrics.ReloadSuccessful.Set(result.Succeeded ? 1 : 0);
        if (result.Succeeded)
            metrics.ReloadTimestamp.Set(state.Current.LoadedAt.ToUnixTimeMilliseconds() / 1000.0);
        metrics.RestartRequired.Set(result.RestartKeys.IsEmpty ? 0 : 1);
    }

    private void Publish(ReloadResult result)
    {
        foreach (string key in result.RestartKeys)
            logger.LogWarning("{Key} has changed in {ConfigFile} and takes effect at the next restart", key, state.DisplayPath);
        if (!verdicts.TryWrite(result, state.Path, out string? error))
            logger.LogWarning("The verdict of the reload cannot be written, so `thread-exporter reload` cannot report it: {Error}", error);
        notifier.TryNotify(ServiceStates.Status(StatusText(state, collector, gate)));
    }

    private void LogActive(string what)
    {
        ConfigSnapshot snapshot = state.Current;
        (int processes, int threads) = gate.Inspect(() => (collector.Processes.Count, collector.Threads));
        int filters = snapshot.Config.Filters.Length;
        string template = "{What} from {ConfigFile}: {Filters} " + Plural.Word(filters, "filter matches", "filters match")
            + " {Processes} " + Plural.Word(processes, "process", "processes") + " with {Threads} " + Plural.Word(threads, "thread", "threads");
#pragma warning disable CA2254 // The words differ; the names of the properties do not.
        logger.LogInformation(template, what, state.DisplayPath, filters, processes, threads);
#pragma warning restore CA2254
        if (snapshot.Config.Filters.IsEmpty)
            logger.LogWarning("No filter is given, so nothing is watched: add a [[filter]] to the configuration, or use --filter or FILTER");
        if (snapshot.TlsWarning is { } certificate)
            logger.LogWarning("{Warning}", certificate);
        foreach (string warning in gate.Inspect(() => snapshot.Matcher.TakeWarnings().Concat(collector.TakeWarnings())))
            logger.LogWarning("{Warning}", warning);
    }

    private void LogErrors(ImmutableArray<ConfigError> errors)
    {
        foreach (ConfigError error in errors)
            LogConfigError(logger, error);
        const string Rest = " in {ConfigFile}; the configuration of {LoadedAt:O} stays in force";
#pragma warning disable CA2254 // As above.
        logger.LogError((errors.Length == 1 ? "Reload failed with {Errors} error" : "Reload failed with {Errors} errors") + Rest,
            errors.Length, state.Path ?? state.DisplayPath, state.Current.LoadedAt);
#pragma warning restore CA2254
    }

    /// <summary>One structured record an error; the text is the one that <c>check</c> prints.</summary>
    public static void LogConfigError(ILogger logger, ConfigError error)
    {
        if (error.Position.Line > 0)
            logger.LogError("{ConfigFile}:{Line}:{Column}: {Fault}", error.File, error.Position.Line, error.Position.Column, error.Message);
        else
            logger.LogError("{ConfigFile}: {Fault}", error.File, error.Message);
    }

    /// <summary>What <c>systemctl status</c> shows.</summary>
    public static string StatusText(ConfigHolder state, Collector collector, CollectionGate gate)
    {
        (int processes, int threads) = gate.Inspect(() => (collector.Processes.Count, collector.Threads));
        string text = $"Watching {Plural.Count(processes, "process", "processes")} with {Plural.Count(threads, "thread", "threads")}";
        return state.Last.Succeeded ? text : text + "; the last reload FAILED, the old configuration stays in force";
    }
}
