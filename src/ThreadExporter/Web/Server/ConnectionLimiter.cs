using System.Diagnostics;
using Microsoft.AspNetCore.Connections;

namespace ThreadExporter.Web.Server;

/// <summary>
/// Limits open connections. Kestrel rejects new connections at its limit, so idle ones could block scrapes; here the least recently
/// used connection is closed for a new one. Only connections with a running scrape are kept (at most <c>max_requests</c>): a client
/// could keep any other response open by not reading it.
/// </summary>
/// <param name="limit">Maximum number of open connections.</param>
/// <param name="logger">Gets a warning at most once a minute when the limit is reached.</param>
internal sealed class ConnectionLimiter(Func<int> limit, ILogger logger)
{
    private static readonly TimeSpan WarningInterval = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly HashSet<TrackedConnection> _open = [];
    private long _warnedAt;

    /// <summary>Connection middleware: tracks the connection while <paramref name="next"/> serves it.</summary>
    public ConnectionDelegate Track(ConnectionDelegate next) => async connection =>
    {
        TrackedConnection tracked = new(connection);
        if (!TryEnter(tracked))
        {
            connection.Abort(new ConnectionAbortedException("Connection limit reached."));
            return;
        }
        try
        {
            connection.Features.Set(tracked);
            await next(connection);
        }
        finally
        {
            lock (_lock)
                _open.Remove(tracked);
        }
    };

    private bool TryEnter(TrackedConnection added)
    {
        TrackedConnection? longestIdle = null;
        int allowed = limit();
        lock (_lock)
        {
            if (_open.Count(c => !c.IsEvicted) >= allowed)
            {
                longestIdle = _open.Where(c => c is { IsEvicted: false, IsScraping: false }).MinBy(c => c.LastUse);
                if (longestIdle is null)
                    return false;
                longestIdle.IsEvicted = true;
            }
            _open.Add(added);
        }
        if (longestIdle is not null)
        {
            Warn(allowed);
            longestIdle.Connection.Abort(new ConnectionAbortedException("Closed as the longest idle connection to admit a new one."));
        }
        return true;
    }

    private void Warn(int allowed)
    {
        long now = Stopwatch.GetTimestamp();
        long before = Volatile.Read(ref _warnedAt);
        if ((before == 0 || Stopwatch.GetElapsedTime(before, now) > WarningInterval) && Interlocked.CompareExchange(ref _warnedAt, now, before) == before)
            logger.ConnectionLimitReached(allowed);
    }
}

/// <summary>An open connection; requests find it in the connection's features.</summary>
internal sealed class TrackedConnection(ConnectionContext connection)
{
    private long _lastUse = Stopwatch.GetTimestamp();
    private volatile bool _isScraping;

    public ConnectionContext Connection => connection;

    /// <summary>Start of its last request, else time of opening (<see cref="Stopwatch"/> timestamp).</summary>
    public long LastUse => Volatile.Read(ref _lastUse);

    /// <summary>A scrape is running on it.</summary>
    public bool IsScraping
    {
        get => _isScraping;
        set => _isScraping = value;
    }

    /// <summary>Closed to admit a new one. Guarded by the lock of <see cref="ConnectionLimiter"/>.</summary>
    public bool IsEvicted { get; set; }

    public void OnRequestStart() => Volatile.Write(ref _lastUse, Stopwatch.GetTimestamp());
}
