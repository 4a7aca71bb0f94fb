using System.Net;

namespace ThreadExporter.Web;

/// <summary>Log messages of the HTTP server. The names in braces are structured fields, which the journal keeps: do not rename them.</summary>
internal static partial class Log
{
    [LoggerMessage(LogLevel.Error, "Collection failed")]
    public static partial void CollectionFailed(this ILogger logger, Exception exception);

    [LoggerMessage(LogLevel.Error, "{Method} {Path} failed")]
    public static partial void RequestFailed(this ILogger logger, Exception exception, string method, PathString path);

    /// <summary>Without the user name: some users type their password there.</summary>
    [LoggerMessage(LogLevel.Debug, "Wrong user name or password from {Address}")]
    public static partial void LoginFailed(this ILogger logger, IPAddress address);

    [LoggerMessage(LogLevel.Warning, "Not accepting connections on {EndPoint}: {Reason}; will resume when file descriptors are available")]
    public static partial void AcceptPaused(this ILogger logger, EndPoint endPoint, string reason);

    [LoggerMessage(LogLevel.Warning, "Connection limit ({Connections}) reached; evicting the longest idle connection for each new one")]
    public static partial void ConnectionLimitReached(this ILogger logger, int connections);

    [LoggerMessage(LogLevel.Information, "Not listening on {Address}: {Reason}")]
    public static partial void NotListening(this ILogger logger, string address, string reason);

    [LoggerMessage(LogLevel.Error, "Cannot check web.tls files")]
    public static partial void TlsCheckFailed(this ILogger logger, Exception exception);

    [LoggerMessage(LogLevel.Information, "Reloaded web.tls certificate, valid until {NotAfter:u}")]
    public static partial void TlsReloaded(this ILogger logger, DateTime notAfter);

    [LoggerMessage(LogLevel.Warning, "New web.tls files are unusable, keeping the previous ones: {Error}")]
    public static partial void TlsFilesUnusable(this ILogger logger, string error);
}
