using System.Diagnostics;
using Microsoft.AspNetCore.Connections;

namespace ThreadExporter.Web.Server;

/// <summary>
/// The open connections. Kestrel's own limit turns newcomers away when it is reached, so that whoever holds enough idle
/// connections shuts out the scrapes; here the one whose last request began longest ago makes room for a new one. Only
/// scrapes being answered are safe, of which <c>max_requests</c> are the most: a client can keep any other answer from
/// ending by not reading.
/// </summary>
/// <param name="limit">Connections that may be open.</param>
/// <param name="logger">Told at most once a minute that the limit is reached.</param>
internal sealed class ConnectionLimiter(Func<int> limit, ILogger logger)
{
    private static readonly TimeSpan WarningInterval = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly HashSet<TrackedConnection> _open = [];
    private long _warnedAt;

    /// <summary>Connection middleware: holds the connection while <paramref name="next"/> serves it.</summary>
    public ConnectionDelegate Hold(ConnectionDelegate next) => async connection =>
    {
        TrackedConnection held = new(connection);
        if (!TryEnter(held))
        {
            connection.Abort(new ConnectionAbortedException("All connections that there may be are in use."));
            return;
        }
        try
        {
            connection.Features.Set(held);
            await next(connection);
        }
        finally
        {
            lock (_lock)
                _open.Remove(held);
        }
    };

    private bool TryEnter(TrackedConnection newcomer)
    {
        TrackedConnection? longestIdle = null;
        int allowed = limit();
        lock (_lock)
        {
            if (_open.Count(c => !c.IsDropped) >= allowed)
            {
                longestIdle = _open.Where(c => c is { IsDropped: false, IsScraping: false }).MinBy(c => c.LastUse);
                if (longestIdle is null)
                    return false;
                longestIdle.IsDropped = true;
            }
            _open.Add(newcomer);
        }
        if (longestIdle is not null)
        {
            Warn(allowed);
            longestIdle.Connection.Abort(new ConnectionAbortedException("The longest idle connection makes room for a new one."));
        }
        return true;
    }

    private void Warn(int allowed)
    {
        long now = Stopwatch.GetTimestamp();
        long before = Volatile.Read(ref _warnedAt);
        if ((before == 0 || Stopwatch.GetElapsedTime(before, now) > WarningInterval) && Interlocked.CompareExchange(ref _warnedAt, now, before) == before)
            logger.LogWarning("{Connections} connections are open, as many as there may be: each new one closes the one that was idle longest", allowed);
    }
}

/// <summary>A connection, found from its requests among the connection's features.</summary>
internal sealed class TrackedConnection(ConnectionContext connection)
{
    private long _lastUse = Stopwatch.GetTimestamp();
    private volatile bool _isScraping;

    public ConnectionContext Connection => connection;

    /// <summary>When its last request began, else when it was opened (<see cref="Stopwatch"/> timestamp).</summary>
    public long LastUse => Volatile.Read(ref _lastUse);

    /// <summary>A scrape is being answered on it.</summary>
    public bool IsScraping
    {
        get => _isScraping;
        set => _isScraping = value;
    }

    /// <summary>Under the table's lock.</summary>
    public bool IsDropped { get; set; }

    public void OnRequestStart() => Volatile.Write(ref _lastUse, Stopwatch.GetTimestamp());
}
