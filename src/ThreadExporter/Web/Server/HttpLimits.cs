using Microsoft.AspNetCore.Server.Kestrel.Core;
using ThreadExporter.Settings;

namespace ThreadExporter.Web.Server;

/// <summary>
/// What one client may take of the server: every limit, its value and why. A scraper and a browser need a fraction of
/// each. docs/http.md has the same values for people.
/// </summary>
internal static class HttpLimits
{
    /// <summary>
    /// Connections that may be open, when max_requests does not ask for more. They fit into the 256 descriptors that
    /// DescriptorBudget leaves to everything but /proc. A server that scrapes uses one, a browser up to six.
    /// </summary>
    public const int Connections = 128;

    /// <summary>A request's line and headers must be there within it. It is Prometheus's scrape_timeout: later nobody waits for the answer.</summary>
    public static readonly TimeSpan RequestHeaders = TimeSpan.FromSeconds(10);

    /// <summary>Between two requests: a server that scrapes every two minutes keeps its connection. Who comes less often connects anew.</summary>
    public static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(130);

    /// <summary>Bytes of the request's line: room for a query with a hundred filters.</summary>
    public const int RequestLine = 8 * 1024;

    /// <summary>Bytes of all headers. Prometheus sends half a kilobyte; a browser's cookies for other ports of the host come along.</summary>
    public const int Headers = 16 * 1024;

    public const int HeaderCount = 64;

    /// <summary>Bytes that are read ahead of a request being answered (pipelining); Kestrel wants no less than the headers' limit.</summary>
    public const int RequestBuffer = 32 * 1024;

    /// <summary>Bytes of an answer that wait for the socket beside the piece being written.</summary>
    public const int ResponseBuffer = 64 * 1024;

    /// <summary>
    /// How fast an answer must be taken: bytes a second on average. A client that stops reading is dropped 10 s after its
    /// first unread piece, or when its time for what it has taken is over if that is later: at the latest a minute after
    /// the request, for the 7.4 MB of 10,000 threads. Then its body's memory is free again. A line slower than 1 Mbit/s is
    /// none to scrape megabytes over.
    /// </summary>
    public const int ResponseRate = 128 * 1024;

    /// <summary>The time that even the smallest answer is given: scrape_timeout again.</summary>
    public static readonly TimeSpan ResponseGrace = TimeSpan.FromSeconds(10);

    /// <summary>Sets them all. Before the addresses to listen on, which take over what is set here.</summary>
    public static void Apply(KestrelServerOptions kestrel, ConfigHolder state)
    {
        kestrel.AddServerHeader = false;
        KestrelServerLimits limits = kestrel.Limits;
        limits.RequestHeadersTimeout = RequestHeaders;
        limits.KeepAliveTimeout = KeepAlive;
        limits.MaxRequestLineSize = RequestLine;
        limits.MaxRequestHeadersTotalSize = Headers;
        limits.MaxRequestHeaderCount = HeaderCount;
        limits.MaxRequestBufferSize = RequestBuffer;
        // Nothing that is served takes a body; SafeAnswers says so in words.
        limits.MaxRequestBodySize = 0;
        limits.MaxResponseBufferSize = ResponseBuffer;
        limits.MinResponseDataRate = new MinDataRate(ResponseRate, ResponseGrace);

        // Twice max_requests: the connections of scrapes, which are not closed for newcomers, are never all there may be.
        ConnectionLimiter connections = new(
            () => Math.Max(Connections, 2 * state.Current.Config.Web.MaxRequests),
            kestrel.ApplicationServices.GetRequiredService<ILogger<ConnectionLimiter>>());
        kestrel.ConfigureEndpointDefaults(listen =>
        {
            // One request at a time on a connection: HTTP/2 would bring a hundred streams, and tables, windows and
            // resets to be abused, for one scrape every few seconds.
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(connections.Hold);
        });
    }
}
