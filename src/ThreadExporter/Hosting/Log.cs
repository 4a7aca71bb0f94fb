using ThreadExporter.Configuration;

namespace ThreadExporter.Hosting;

/// <summary>Log messages of the hosted services. The names in braces are structured fields, which the journal keeps: do not rename them.</summary>
internal static partial class Log
{
    /// <param name="logger">The logger.</param>
    /// <param name="what">"Configuration loaded" or "Configuration reloaded".</param>
    /// <param name="configFile">Where the configuration came from.</param>
    /// <param name="filters">Number of filters.</param>
    /// <param name="processes">Processes that match them.</param>
    /// <param name="threads">Threads of these processes.</param>
    [LoggerMessage(LogLevel.Information, "{What} from {ConfigFile}: filters {Filters}, processes {Processes}, threads {Threads}")]
    public static partial void ConfigurationActive(this ILogger logger, string what, string configFile, int filters, int processes, int threads);

    [LoggerMessage(LogLevel.Warning, "No filter is configured, nothing is watched: add a [[filter]] to the configuration, or use --filter or FILTER")]
    public static partial void NoFilters(this ILogger logger);

    [LoggerMessage(LogLevel.Warning, "{Key} has changed in {ConfigFile} and takes effect at the next restart")]
    public static partial void RestartRequired(this ILogger logger, string key, string configFile);

    [LoggerMessage("{Notice}")]
    public static partial void ExitRecords(this ILogger logger, LogLevel level, string notice);

    [LoggerMessage(LogLevel.Information, "{ConfigFile} has changed")]
    public static partial void ConfigFileChanged(this ILogger logger, string configFile);

    /// <summary>One structured record per error; the text is the line that <c>check</c> prints.</summary>
    public static void ConfigurationError(this ILogger logger, ConfigError error)
    {
        if (error.Position.Line > 0)
            logger.ConfigurationErrorAt(error.File, error.Position.Line, error.Position.Column, error.Message);
        else
            logger.ConfigurationErrorIn(error.File, error.Message);
    }

    public static void ReloadFailed(this ILogger logger, int errors, string configFile, DateTimeOffset loadedAt)
    {
        if (errors == 1)
            logger.ReloadFailedWithOneError(errors, configFile, loadedAt);
        else
            logger.ReloadFailedWithErrors(errors, configFile, loadedAt);
    }

    [LoggerMessage(LogLevel.Error, "The role files with errors are left out: {Files}")]
    public static partial void RoleFilesLeftOut(this ILogger logger, string files);

    [LoggerMessage(LogLevel.Error, "Reload failed with an internal error")]
    public static partial void ReloadFailedInternally(this ILogger logger, Exception exception);

    [LoggerMessage(LogLevel.Error, "The first collection with the new configuration failed")]
    public static partial void FirstCollectionFailed(this ILogger logger, Exception exception);

    [LoggerMessage(LogLevel.Warning, "Cannot write the reload status file; `thread-exporter reload` will not work: {Error}")]
    public static partial void StatusFileNotWritable(this ILogger logger, string error);

    /// <summary>A warning of the matcher, the collector or the certificate, in its own words.</summary>
    [LoggerMessage(LogLevel.Warning, "{Warning}")]
    public static partial void Warning(this ILogger logger, string warning);

    /// <summary>The end of a condition that <see cref="Warning"/> reported.</summary>
    [LoggerMessage(LogLevel.Information, "{Recovery}")]
    public static partial void Recovery(this ILogger logger, string recovery);

    [LoggerMessage(LogLevel.Error, "Housekeeping failed; retrying")]
    public static partial void HousekeepingFailed(this ILogger logger, Exception exception);

    [LoggerMessage(LogLevel.Error, "Sampler failed; retrying in one minute")]
    public static partial void SamplerFailed(this ILogger logger, Exception exception);

    [LoggerMessage(LogLevel.Error, "{ConfigFile}:{Line}:{Column}: {Error}")]
    private static partial void ConfigurationErrorAt(this ILogger logger, string configFile, int line, int column, string error);

    [LoggerMessage(LogLevel.Error, "{ConfigFile}: {Error}")]
    private static partial void ConfigurationErrorIn(this ILogger logger, string configFile, string error);

    [LoggerMessage(LogLevel.Error, "Reload failed with {Errors} error in {ConfigFile}; keeping the configuration loaded at {LoadedAt:O}")]
    private static partial void ReloadFailedWithOneError(this ILogger logger, int errors, string configFile, DateTimeOffset loadedAt);

    [LoggerMessage(LogLevel.Error, "Reload failed with {Errors} errors in {ConfigFile}; keeping the configuration loaded at {LoadedAt:O}")]
    private static partial void ReloadFailedWithErrors(this ILogger logger, int errors, string configFile, DateTimeOffset loadedAt);
}
