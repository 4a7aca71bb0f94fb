using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using ThreadExporter.Linux;

namespace ThreadExporter.Web.Server;

/// <summary>
/// Kestrel's sockets with an accept of our own, which leaves the last descriptors to others: without one the runtime cannot start a thread
/// (each has a pipe), and ends the process when it must. When none is left at all (EMFILE, ENFILE: accept(2)) Kestrel's own tries again at
/// once for as long as a client waits, which is a whole core and 15 MB a second. This one pauses; who waits is served when there is room again.
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
                    // Before Linux 6.2 the count is not to be had in one call, and the error must do.
                    while (!_closed && ThisProcess.TryCountOpenFiles(out long open) && open > ThisProcess.MaxOpenFiles() - Spare)
                        await PauseAsync("too few descriptors are left", cancellationToken);
                    Socket accepted = await socket.AcceptAsync(cancellationToken);
                    // What is ready is sent at once.
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
                    // The client went away while it waited: the next one.
                }
            }
        }

        private Task PauseAsync(string why, CancellationToken cancellationToken)
        {
            // Once a minute: clients may come and go on the edge.
            if (Environment.TickCount64 - _warnedAt >= Minute)
            {
                _warnedAt = Environment.TickCount64;
                logger.LogWarning("No connection is accepted on {EndPoint}: {Reason}. Clients wait until there is room again", EndPoint, why);
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
