using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using ThreadExporter.Configuration;
using ThreadExporter.Text;

namespace ThreadExporter.Client;

/// <summary>The answer to a request: its body, or what went wrong as one line.</summary>
/// <param name="Body">UTF-8; empty with an error.</param>
/// <param name="Error">Null: none.</param>
internal readonly record struct ApiReply(byte[] Body, string? Error);

/// <summary>Asks the API of a running daemon. Certificates are verified as OpenSSL does; its variable SSL_CERT_FILE names other authorities.</summary>
internal sealed class ApiClient : IDisposable
{
    /// <summary>Of an answer, in bytes: 200 threads with their histories are a tenth of it.</summary>
    private const int LargestAnswer = 8 * 1024 * 1024;

    private const int LongestError = 500;

    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(5);

    private readonly HttpClient _http;
    private readonly AuthenticationHeaderValue? _login;

    /// <param name="url">As <see cref="GetUrlError"/> accepts it.</param>
    /// <param name="timeout">For a whole answer; null: five seconds.</param>
    public ApiClient(Uri url, TimeSpan? timeout = null)
    {
        Url = new Uri(url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped));
        if (url.UserInfo.Length > 0)
            _login = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(url.UserInfo.Contains(':', StringComparison.Ordinal) ? url.UserInfo : url.UserInfo + ":"))));
        // A proxy of the environment is for other hosts; a redirect would send the password elsewhere.
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false })
        {
            Timeout = timeout ?? DefaultTimeout,
            MaxResponseContentBufferSize = LargestAnswer,
        };
    }

    /// <summary>Without user and password: it is shown.</summary>
    public Uri Url { get; }

    /// <summary>Null, or why a text is not the URL of a daemon. The message does not repeat it: it may contain a password.</summary>
    public static string? GetUrlError(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https" && url.Host.Length > 0 && url.Query.Length == 0 && url.Fragment.Length == 0
            ? null : "must be a URL such as http://localhost:9199 or https://USER:PASSWORD@host:9199";

    /// <summary>Where a daemon with this configuration can be reached from its own host.</summary>
    public static Uri UrlOf(WebConfig web)
    {
        string address = web.Listen[0];
        int colon = address.LastIndexOf(':');
        string host = address[..colon] is "" or "0.0.0.0" or "[::]" ? "localhost" : address[..colon];
        return new Uri($"{(web.Tls.IsOn ? "https" : "http")}://{host}:{address[(colon + 1)..]}");
    }

    /// <summary>One GET request.</summary>
    /// <param name="path">Path and query, without a slash at its start.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<ApiReply> GetAsync(string path, CancellationToken cancellation)
    {
        try
        {
            using HttpRequestMessage request = new(HttpMethod.Get, new Uri(new Uri(Url.AbsoluteUri.TrimEnd('/') + "/"), path));
            request.Headers.Authorization = _login;
            using HttpResponseMessage response = await _http.SendAsync(request, cancellation);
            byte[] body = await response.Content.ReadAsByteArrayAsync(cancellation);
            return response.StatusCode == HttpStatusCode.OK ? new(body, null) : new([], Printable.Of(Explain(response.StatusCode, body)));
        }
        catch (HttpRequestException e)
        {
            return new([], Printable.Of(Explain(e)));
        }
        catch (TaskCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new([], Printable.Of($"{Url} does not answer within {_http.Timeout.TotalSeconds:0.#} seconds"));
        }
    }

    public void Dispose() => _http.Dispose();

    private string Explain(HttpRequestException error) => error switch
    {
        { InnerException: SocketException { SocketErrorCode: SocketError.ConnectionRefused } } => $"{Url} refuses the connection: is the daemon running there? Name another with --url",
        { InnerException: SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData } } => $"the host of {Url} cannot be found: name another with --url",
        { InnerException: AuthenticationException tls } => $"{Url} has no certificate that is trusted here ({tls.Message}): name its authority with SSL_CERT_FILE",
        { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ResponseEnded } => $"{Url} does not answer with HTTP: write https:// if the daemon uses TLS",
        { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } => $"the answer of {Url} is too long for one of thread-exporter",
        _ => $"{Url} cannot be reached: {(error.InnerException ?? error).Message}",
    };

    private string Explain(HttpStatusCode status, byte[] body) => status switch
    {
        HttpStatusCode.Unauthorized when _login is null => $"{Url} needs a password: write --url {Url.Scheme}://USER:PASSWORD@{Url.Authority}, or set THREAD_EXPORTER_URL to that",
        HttpStatusCode.Unauthorized => $"{Url} does not accept this user and password",
        _ when ErrorOf(body) is { } error => error,
        HttpStatusCode.NotFound => $"{Url} does not have this API: web.pages is off there, or the daemon is older than this command",
        _ => $"{Url} answers with {(int)status}: this is not what thread-exporter answers",
    };

    /// <summary>The daemon's own message; with the recorded range, where the answer has one. Null: the body has none.</summary>
    private static string? ErrorOf(byte[] body)
    {
        ApiProblem? problem = Answers.Read(body, AnswerJson.Default.ApiProblem);
        if (problem?.Error is not { Length: > 0 and < LongestError } error)
            return null;
        return problem.Recorded is { From: { } from, To: { } to }
            ? $"{error}; recorded is {PointInTime.Show(from.ToLocalTime())} to {PointInTime.Show(to.ToLocalTime())}" : error;
    }
}
