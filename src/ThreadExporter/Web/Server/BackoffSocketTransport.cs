using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using ThreadExporter.Linux;

namespace ThreadExporter.Web.Server;

/// <summary>
/// Kestrel's socket transport with a custom accept loop. It keeps 24 file descriptors free for the runtime: without a free one the runtime
/// cannot start a thread (each has a pipe) and may end the process. When none is left at all (EMFILE, ENFILE: accept(2)) Kestrel's loop
/// retries immediately while a client waits, which costs 100 % of a core and 15 MB a second. This loop pauses instead; clients
/// stay in the backlog until descriptors are free.
/// </summary>
internal sealed class BackoffSocketTransport(ListenSockets sockets, ILoggerFactory loggers) : IConnectionListenerFactory
{
    private const int Backlog = 512; // Kestrel's own
    private const int Spare = 24;
    private const long Minute = 60_000;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly ILogger _logger = loggers.CreateLogger<BackoffSocketTransport>();

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        Socket socket = sockets.Listen(endpoint, Backlog);
        return ValueTask.FromResult<IConnectionListener>(new Listener(socket, new SocketConnectionContextFactory(new SocketConnectionFactoryOptions(), _logger), _logger));
    }

    private sealed class Listener(Socket socket, SocketConnectionContextFactory connections, ILogger logger) : IConnectionListener
    {
        private long _warnedAt = -Minute;
        private volatile bool _closed;

        public EndPoint EndPoint { get; } = socket.LocalEndPoint!;

        /// <summary>The next connection; null when the listener was closed.</summary>
        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (true)
            {
                try
                {
                    // Before Linux 6.2 the count is not available in one call; then only the error is handled.
                    while (!_closed && ThisProcess.TryCountOpenFiles(out long open) && open > ThisProcess.MaxOpenFiles() - Spare)
                        await PauseAsync("too few file descriptors left", cancellationToken);
                    Socket accepted = await socket.AcceptAsync(cancellationToken);
                    // Send data without delay.
                    accepted.NoDelay = true;
                    return connections.Create(accepted);
                }
                catch (ObjectDisposedException)
                {
                    return null;
                }
                catch (SocketException e) when (e.SocketErrorCode == SocketError.OperationAborted)
                {
                    return null;
                }
                catch (SocketException e) when (e.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable)
                {
                    await PauseAsync(e.Message, cancellationToken);
                }
                catch (SocketException)
                {
                    // The client disconnected while waiting: accept the next one.
                }
            }
        }

        private Task PauseAsync(string reason, CancellationToken cancellationToken)
        {
            // At most once a minute: the limit may be crossed repeatedly.
            if (Environment.TickCount64 - _warnedAt >= Minute)
            {
                _warnedAt = Environment.TickCount64;
                logger.AcceptPaused(EndPoint, reason);
            }
            return Task.Delay(Pause, cancellationToken);
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            _closed = true;
            socket.Dispose();
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            socket.Dispose();
            connections.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
