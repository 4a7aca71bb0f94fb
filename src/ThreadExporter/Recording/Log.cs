namespace ThreadExporter.Recording;

/// <summary>Log messages of the recorder. The names in braces are structured fields, which the journal keeps: do not rename them.</summary>
internal static partial class Log
{
    [LoggerMessage(LogLevel.Information, "The recorder is off: {Reason}")]
    public static partial void RecorderOff(this ILogger logger, string reason);

    [LoggerMessage(LogLevel.Information, "Recording the hottest threads to {Database}")]
    public static partial void Recording(this ILogger logger, string database);

    [LoggerMessage(LogLevel.Warning, "Cannot record to {Database}: {Error}; retrying once a minute")]
    public static partial void RecordingFailed(this ILogger logger, string database, string error);

    [LoggerMessage(LogLevel.Information, "Recording to {Database} again; intervals lost since the start: {Lost}")]
    public static partial void RecordingAgain(this ILogger logger, string database, long lost);

    [LoggerMessage(LogLevel.Warning, "{Database} is damaged or another program's: it is now {MovedTo}, and a new one was begun")]
    public static partial void DatabaseMoved(this ILogger logger, string database, string movedTo);

    [LoggerMessage(LogLevel.Error, "A question to the recorder failed")]
    public static partial void QuestionFailed(this ILogger logger, Exception exception);

    [LoggerMessage(LogLevel.Error, "The recorder failed; retrying in one minute")]
    public static partial void RecorderFailed(this ILogger logger, Exception exception);
}
