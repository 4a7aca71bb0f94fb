using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ThreadExporter.Web;

/// <summary>Turns <c>:9199</c>, <c>127.0.0.1:9199</c>, <c>[::1]:9199</c> or <c>name:9199</c> into Kestrel's endpoints.</summary>
internal static class ListenAddress
{
    public static void Apply(KestrelServerOptions kestrel, string address)
    {
        int colon = address.LastIndexOf(':');
        string host = address[..colon];
        int port = int.Parse(address.AsSpan(colon + 1), System.Globalization.CultureInfo.InvariantCulture);
        if (host.Length == 0)
            kestrel.ListenAnyIP(port);
        else if (host == "localhost" && port != 0)
            kestrel.ListenLocalhost(port);
        else if (IPAddress.TryParse(host, out IPAddress? ip))
            kestrel.Listen(ip, port);
        else
            foreach (IPAddress resolved in Dns.GetHostAddresses(host))
                kestrel.Listen(resolved, port);
    }
}
