using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace ThreadExporter.Web;

/// <summary>
/// Kestrel's sockets with an accept of our own. When no descriptor is left (EMFILE, ENFILE: accept(2)) Kestrel's tries again at once, for as
/// long as a client waits: a whole core, and memory until the process dies. This one pauses; who waits is served when there is one again.
/// </summary>
internal sealed class PatientTransport(ILoggerFactory loggers) : IConnectionListenerFactory
{
    private const int Backlog = 512; // Kestrel's own
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly ILogger _logger = loggers.CreateLogger<PatientTransport>();

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        Socket socket;
        try
        {
            socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        }
        // The server knows this exception and makes one clear line of it.
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(e.Message, e);
        }
        socket.Listen(Backlog);
        return ValueTask.FromResult<IConnectionListener>(new Listener(socket, new SocketConnectionContextFactory(new SocketConnectionFactoryOptions(), _logger), _logger));
    }

    private sealed class Listener(Socket socket, SocketConnectionContextFactory connections, ILogger logger) : IConnectionListener
    {
        private bool _told;

        public EndPoint EndPoint { get; } = socket.LocalEndPoint!;

        /// <summary>The next connection; null when the listener was closed.</summary>
        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (true)
            {
                try
                {
                    Socket accepted = await socket.AcceptAsync(cancellationToken);
                    // What is ready is sent at once.
                    accepted.NoDelay = true;
                    _told = false;
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
                    if (!_told)
                        logger.LogWarning("No connection can be accepted on {EndPoint}: {Error}. Clients wait until there is room again", EndPoint, e.Message);
                    _told = true;
                    await Task.Delay(Pause, cancellationToken);
                }
                catch (SocketException)
                {
                    // The client went away while it waited: the next one.
                }
            }
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
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
