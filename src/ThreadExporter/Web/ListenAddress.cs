using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace ThreadExporter.Web;

/// <summary>Turns <c>:9199</c>, <c>127.0.0.1:9199</c>, <c>[::1]:9199</c> or <c>name:9199</c> into Kestrel's endpoints.</summary>
internal static class ListenAddress
{
    /// <param name="kestrel">Where the endpoints go.</param>
    /// <param name="address">The address.</param>
    /// <param name="tls">With what its connections are secured; null: not at all.</param>
    public static void Apply(KestrelServerOptions kestrel, string address, TlsCertificates? tls)
    {
        int colon = address.LastIndexOf(':');
        string host = address[..colon];
        int port = int.Parse(address.AsSpan(colon + 1), System.Globalization.CultureInfo.InvariantCulture);
        if (host.Length == 0)
            kestrel.ListenAnyIP(port, Secure);
        else if (host == "localhost" && port != 0)
            kestrel.ListenLocalhost(port, Secure);
        else if (IPAddress.TryParse(host, out IPAddress? ip))
            kestrel.Listen(ip, port, Secure);
        else
            foreach (IPAddress resolved in Dns.GetHostAddresses(host))
                kestrel.Listen(resolved, port, Secure);

        void Secure(ListenOptions endpoint)
        {
            if (tls is not null)
                endpoint.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = tls.OptionsAsync });
        }
    }
}
