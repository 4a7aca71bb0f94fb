using Microsoft.AspNetCore.Server.Kestrel.Core;
using ThreadExporter.Settings;

namespace ThreadExporter.Web.Server;

/// <summary>
/// Resource limits of the HTTP server, with the reason for each value. A scraper and a browser need a fraction of each.
/// docs/http.md lists the same values for users.
/// </summary>
internal static class HttpLimits
{
    /// <summary>
    /// Open connections, unless max_requests requires more. They fit into the 256 descriptors that DescriptorBudget reserves for
    /// everything except /proc. A Prometheus server uses one, a browser up to six.
    /// </summary>
    public const int Connections = 128;

    /// <summary>Time to receive a request's line and headers: Prometheus's default scrape_timeout, after which no client waits for the response.</summary>
    public static readonly TimeSpan RequestHeaders = TimeSpan.FromSeconds(10);

    /// <summary>Idle time between two requests: a server that scrapes every two minutes keeps its connection; slower ones reconnect.</summary>
    public static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(130);

    /// <summary>Bytes of the request line: enough for a query with a hundred filters.</summary>
    public const int RequestLine = 8 * 1024;

    /// <summary>Bytes of all headers. Prometheus sends half a kilobyte; a browser also sends cookies set by other ports of the host.</summary>
    public const int Headers = 16 * 1024;

    public const int HeaderCount = 64;

    /// <summary>Bytes read ahead while a request is processed (pipelining); Kestrel requires at least the limit for headers.</summary>
    public const int RequestBuffer = 32 * 1024;

    /// <summary>Bytes of a response that wait for the socket, in addition to the segment being written.</summary>
    public const int ResponseBuffer = 64 * 1024;

    /// <summary>
    /// Minimum rate at which a client must read a response: average bytes per second. A client that stops reading is dropped 10 s
    /// after its first unread segment, or when the time allowed for what it has read is over, if that is later: at most one minute
    /// after the request, for the 7.4 MB of 10,000 threads. Then the memory of the body is free again. A link slower than 1 Mbit/s
    /// is not suitable for scraping megabytes.
    /// </summary>
    public const int ResponseRate = 128 * 1024;

    /// <summary>Minimum time for any response: scrape_timeout again.</summary>
    public static readonly TimeSpan ResponseGrace = TimeSpan.FromSeconds(10);

    /// <summary>Applies all limits. Must run before the endpoints are added: they copy these settings.</summary>
    public static void Apply(KestrelServerOptions kestrel, ConfigHolder holder)
    {
        kestrel.AddServerHeader = false;
        KestrelServerLimits limits = kestrel.Limits;
        limits.RequestHeadersTimeout = RequestHeaders;
        limits.KeepAliveTimeout = KeepAlive;
        limits.MaxRequestLineSize = RequestLine;
        limits.MaxRequestHeadersTotalSize = Headers;
        limits.MaxRequestHeaderCount = HeaderCount;
        limits.MaxRequestBufferSize = RequestBuffer;
        // No endpoint accepts a body; ResponseGuard sends the error text.
        limits.MaxRequestBodySize = 0;
        limits.MaxResponseBufferSize = ResponseBuffer;
        limits.MinResponseDataRate = new MinDataRate(ResponseRate, ResponseGrace);

        // Twice max_requests: connections with a running scrape are never evicted, and must not use up the limit.
        ConnectionLimiter connections = new(
            () => Math.Max(Connections, 2 * holder.Current.Config.Web.MaxRequests),
            kestrel.ApplicationServices.GetRequiredService<ILogger<ConnectionLimiter>>());
        kestrel.ConfigureEndpointDefaults(listen =>
        {
            // One request at a time per connection: HTTP/2 would add a hundred streams, and tables, windows and resets that can be
            // abused, for one scrape every few seconds.
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(connections.Track);
        });
    }
}
