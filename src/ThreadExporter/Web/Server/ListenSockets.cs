using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace ThreadExporter.Web.Server;

/// <summary>
/// The bound sockets of <c>web.listen</c>, created before the server: Kestrel would fail with a stack trace when an address is not
/// available, and cannot create an IPv6-only socket.
/// </summary>
internal sealed class ListenSockets : IDisposable
{
    private readonly Dictionary<EndPoint, (Socket Socket, ListenAddress Address)> _bound = [];

    private ListenSockets()
    {
    }

    /// <summary>Binds all of them.</summary>
    /// <exception cref="IOException">An address is not available. The message is one line, ready to print.</exception>
    public static ListenSockets Bind(IEnumerable<string> addresses, ILogger logger)
    {
        ListenSockets sockets = new();
        try
        {
            foreach (IGrouping<string, ListenAddress> group in ListenAddress.Resolve(addresses).GroupBy(a => a.Written))
                sockets.BindGroup([.. group], logger);
            return sockets;
        }
        catch
        {
            sockets.Dispose();
            throw;
        }
    }

    /// <summary>Adds an endpoint to the server for each socket.</summary>
    /// <param name="kestrel">The server.</param>
    /// <param name="tls">Certificates for the connections; null: no TLS.</param>
    public void AddTo(KestrelServerOptions kestrel, TlsCertificates? tls)
    {
        foreach (EndPoint endPoint in _bound.Keys)
        {
            kestrel.Listen(endPoint, listen =>
            {
                if (tls is not null)
                    listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = tls.OptionsAsync });
            });
        }
    }

    /// <summary>Starts listening. The caller then owns the socket.</summary>
    /// <exception cref="IOException">As <see cref="Bind"/>: another process may have bound the same address in between and be the first to listen.</exception>
    public Socket Listen(EndPoint endPoint, int backlog)
    {
        (Socket socket, ListenAddress address) = _bound[endPoint];
        try
        {
            socket.Listen(backlog);
        }
        catch (SocketException e)
        {
            throw Failure(address, e);
        }
        _bound.Remove(endPoint);
        return socket;
    }

    /// <summary>Closes the sockets that were not passed on by <see cref="Listen"/>.</summary>
    public void Dispose()
    {
        foreach ((Socket socket, _) in _bound.Values)
            socket.Dispose();
        _bound.Clear();
    }

    private void BindGroup(ListenAddress[] group, ILogger logger)
    {
        List<(ListenAddress Address, SocketException Error)> unusable = [];
        foreach (ListenAddress address in group)
        {
            try
            {
                Add(BindOne(address), address);
            }
            catch (SocketException e) when (address.IsOfName && IsNotOfThisHost(e))
            {
                unusable.Add((address, e));
            }
            catch (SocketException e)
            {
                throw Failure(address, e);
            }
        }
        if (unusable.Count == group.Length && !group[0].IsOptional)
            throw Failure(unusable[0].Address, unusable[0].Error);
        // `localhost` without IPv6, or a name that also has addresses of other hosts.
        foreach ((ListenAddress address, SocketException error) in unusable)
            logger.NotListening(address.ToString(), Reason(address, error));
    }

    private void Add(Socket socket, ListenAddress address) => _bound.Add(socket.LocalEndPoint!, (socket, address));

    // Without IPv6 "all addresses" means all IPv4 addresses.
    private static Socket BindOne(ListenAddress address) => address.IsAny && !Socket.OSSupportsIPv6
        ? BindOne(IPAddress.Any, address.Port, bothFamilies: false)
        : BindOne(address.Address, address.Port, address.BothFamilies);

    private static Socket BindOne(IPAddress address, int port, bool bothFamilies)
    {
        Socket socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.AddressFamily == AddressFamily.InterNetworkV6)
                socket.DualMode = bothFamilies;
            socket.Bind(new IPEndPoint(address, port));
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static bool IsNotOfThisHost(SocketException error) =>
        error.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported or SocketError.ProtocolNotSupported;

    private static IOException Failure(ListenAddress address, SocketException error) =>
        new($"cannot listen on {address}: {Reason(address, error)}", error);

    private static string Reason(ListenAddress address, SocketException error) => error.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse => $"address already in use (`ss -ltnp sport = :{address.Port}` shows by which process)",
        SocketError.AddressNotAvailable => "this host has no such address",
        SocketError.AccessDenied when address.Port is > 0 and < 1024 => "permission denied (a port below 1024 usually needs CAP_NET_BIND_SERVICE)",
        SocketError.AccessDenied => "permission denied",
        SocketError.AddressFamilyNotSupported when address.Address.AddressFamily == AddressFamily.InterNetworkV6 => "this host has no IPv6",
        _ => error.Message,
    };
}
