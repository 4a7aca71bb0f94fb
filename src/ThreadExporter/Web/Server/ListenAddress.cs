using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ThreadExporter.Web.Server;

/// <summary>Address of one listening socket.</summary>
/// <param name="Written">The entry of <c>web.listen</c> that it comes from, for messages.</param>
/// <param name="Address">Never an IPv4-mapped IPv6 address.</param>
/// <param name="Port">0: any free one.</param>
/// <param name="BothFamilies">An IPv6 socket that also accepts IPv4 connections.</param>
internal sealed record ListenAddress(string Written, IPAddress Address, int Port, bool BothFamilies)
{
    /// <summary><c>:PORT</c>: all addresses of this host.</summary>
    public bool IsAny => Written.StartsWith(':');

    /// <summary>Resolved from a host name. A name may have several addresses; one usable address is enough.</summary>
    public bool IsOfName { get; init; }

    /// <summary>Another socket covers an address of the same name, so connections to the name are accepted without this one.</summary>
    public bool IsOptional { get; init; }

    /// <summary>For messages: as written, with the resolved address of a name.</summary>
    public override string ToString() => IsOfName ? $"{Written} ({Address})" : Written;

    /// <summary>
    /// The sockets for <c>:9199</c>, <c>127.0.0.1:9199</c>, <c>[::1]:9199</c> or <c>name:9199</c>. Together they accept connections to all
    /// given addresses: an address that another one covers needs no socket, and binding it would fail. An IPv6 socket is IPv6-only if
    /// there is an IPv4 socket with the same port.
    /// </summary>
    /// <exception cref="IOException">A name does not resolve. The message is one line, ready to print.</exception>
    public static ImmutableArray<ListenAddress> Resolve(IEnumerable<string> addresses) => WithoutOverlap([.. addresses.SelectMany(Parse)]);

    /// <summary>Removes addresses that another one in the list covers, and decides which IPv6 sockets are IPv6-only.</summary>
    internal static ImmutableArray<ListenAddress> WithoutOverlap(ImmutableArray<ListenAddress> all)
    {
        List<ListenAddress> kept = [];
        foreach (ListenAddress address in all)
        {
            ListenAddress[] samePort = [.. all.Where(a => a.Port == address.Port && a.Port != 0)];
            bool isCovered = samePort.Any(a => !address.IsAny && (a.IsAny || (IsWildcard(a) && !IsWildcard(address) && a.Address.AddressFamily == address.Address.AddressFamily)));
            bool isRepeated = address.Port != 0 && kept.Any(k => k.Port == address.Port && k.Address.Equals(address.Address));
            bool isBesideIpv4 = samePort.Any(a => a.Address.AddressFamily == AddressFamily.InterNetwork);
            if (!isCovered && !isRepeated)
                kept.Add(address.IsAny ? address : address with { BothFamilies = address.BothFamilies && !isBesideIpv4 });
        }
        return [.. kept.Select(k => k with { IsOptional = all.Count(a => a.Written == k.Written) > kept.Count(a => a.Written == k.Written) })];
    }

    private static bool IsWildcard(ListenAddress address) => address.Address.Equals(IPAddress.Any) || address.Address.Equals(IPAddress.IPv6Any);

    private static IEnumerable<ListenAddress> Parse(string written)
    {
        int colon = written.LastIndexOf(':');
        string host = written[..colon];
        int port = int.Parse(written.AsSpan(colon + 1), CultureInfo.InvariantCulture);
        if (host.Length == 0)
            return [new ListenAddress(written, IPAddress.IPv6Any, port, BothFamilies: true)];
        if (IPAddress.TryParse(host, out IPAddress? ip))
            return [new ListenAddress(written, ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip, port, BothFamilies: ip.Equals(IPAddress.IPv6Any))];
        // localhost always means the loopback addresses (RFC 6761), whatever the resolver returns.
        IPAddress[] resolved = host == "localhost" ? [IPAddress.Loopback, IPAddress.IPv6Loopback] : LookUp(written, host);
        return resolved.Select(a => new ListenAddress(written, a.IsIPv4MappedToIPv6 ? a.MapToIPv4() : a, port, BothFamilies: false) { IsOfName = true });
    }

    private static IPAddress[] LookUp(string written, string host)
    {
        try
        {
            return Dns.GetHostAddresses(host) is { Length: > 0 } found ? found : throw new IOException($"cannot listen on {written}: the name has no address");
        }
        catch (SocketException e)
        {
            throw new IOException($"cannot listen on {written}: the name cannot be resolved: {e.Message}", e);
        }
    }
}
