using System.Diagnostics;
using Microsoft.AspNetCore.Connections;

namespace ThreadExporter.Web;

/// <summary>
/// The open connections. Kestrel's own limit turns newcomers away when it is reached, so that whoever holds enough idle
/// connections shuts out the scrapes; here the longest idle one makes room for a new one. Idle is a connection whose
/// request has not yet come whole, too.
/// </summary>
/// <param name="limit">Connections that may be open.</param>
/// <param name="logger">Told at most once a minute that the limit is reached.</param>
internal sealed class ConnectionTable(Func<int> limit, ILogger logger)
{
    private static readonly TimeSpan WarningInterval = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly HashSet<HeldConnection> _open = [];
    private long _warnedAt;

    /// <summary>Connection middleware: holds the connection while <paramref name="next"/> serves it.</summary>
    public ConnectionDelegate Hold(ConnectionDelegate next) => async connection =>
    {
        HeldConnection held = new(connection);
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

    private bool TryEnter(HeldConnection newcomer)
    {
        HeldConnection? longestIdle = null;
        int allowed = limit();
        lock (_lock)
        {
            if (_open.Count(c => !c.IsDropped) >= allowed)
            {
                longestIdle = _open.Where(c => c is { IsDropped: false, IdleSince: not 0 }).MinBy(c => c.IdleSince);
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
internal sealed class HeldConnection(ConnectionContext connection)
{
    private long _idleSince = Stopwatch.GetTimestamp();

    public ConnectionContext Connection => connection;

    /// <summary>Since when no request is being answered on it (<see cref="Stopwatch"/> timestamp); 0 while one is.</summary>
    public long IdleSince => Volatile.Read(ref _idleSince);

    /// <summary>Under the table's lock.</summary>
    public bool IsDropped { get; set; }

    public void RequestBegins() => Volatile.Write(ref _idleSince, 0);

    public void RequestEnds() => Volatile.Write(ref _idleSince, Stopwatch.GetTimestamp());
}
