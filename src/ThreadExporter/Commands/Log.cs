namespace ThreadExporter.Commands;

/// <summary>Log messages of <c>run</c>. The names in braces are structured fields, which the journal keeps: do not rename them.</summary>
internal static partial class Log
{
    [LoggerMessage(LogLevel.Information, "Starting thread-exporter {Version} (procfs {Procfs})")]
    public static partial void Starting(this ILogger logger, string version, string procfs);

    /// <param name="logger">The logger.</param>
    /// <param name="settings">What the garbage collector itself reports, not what the project file says.</param>
    [LoggerMessage(LogLevel.Debug, "Settings of the garbage collector: {Settings}")]
    public static partial void GarbageCollector(this ILogger logger, string settings);

    [LoggerMessage("{Notice}")]
    public static partial void Cgroups(this ILogger logger, LogLevel level, string notice);

    [LoggerMessage(LogLevel.Information, "Listening on {Url}{Path}")]
    public static partial void Listening(this ILogger logger, string url, string path);

    [LoggerMessage(LogLevel.Information, "Stopped")]
    public static partial void Stopped(this ILogger logger);

    [LoggerMessage(LogLevel.Warning, "Nothing listens on the socket in NOTIFY_SOCKET, so readiness is not reported to the service manager")]
    public static partial void NotifySocketUnavailable(this ILogger logger);

    [LoggerMessage(LogLevel.Critical, "{Service} terminated unexpectedly")]
    public static partial void ServiceTerminated(this ILogger logger, Exception exception, string service);

    [LoggerMessage(LogLevel.Critical, "{Error}")]
    public static partial void Fatal(this ILogger logger, string error);

    [LoggerMessage(LogLevel.Debug, "Stack trace of the error")]
    public static partial void FatalStackTrace(this ILogger logger, Exception exception);
}
