using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Primitives;
using ThreadExporter.Collection;
using ThreadExporter.HotThreads;
using ThreadExporter.Linux;
using ThreadExporter.Settings;
using ThreadExporter.Web.Server;

namespace ThreadExporter.Web.Pages;

/// <summary>
/// The web pages and the API they use. All files of a page are embedded in the binary, and its content security policy allows
/// nothing else: no inline script or style, no other host.
/// </summary>
internal sealed class PageEndpoints(Collector collector, CollectionGate gate, ConfigHolder holder, HotThreadTracker hot, MetricsEndpoints endpoints)
{
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

    private const string Html = "text/html; charset=utf-8";
    private const string Json = "application/json; charset=utf-8";
    private const int DefaultRows = 20;

    public void Map(WebApplication app)
    {
        Map(app, "/", LandingAsync);
        Map(app, "/api/v1/hot", HotApiAsync);
        MapFile(app, "/hot", "hot.html", Html);
        MapFile(app, "/hot.js", "hot.js", "text/javascript; charset=utf-8");
        MapFile(app, "/hot.css", "hot.css", "text/css; charset=utf-8");
        MapFile(app, "/hot.svg", "hot.svg", "image/svg+xml");
    }

    private void Map(WebApplication app, string path, RequestDelegate handler) =>
        app.MapMethods(path, [HttpMethods.Get, HttpMethods.Head], context =>
        {
            if (!holder.Current.Config.Web.Pages)
                return TextResponse.WriteAsync(context, "Pages are disabled (web.pages).\n", StatusCodes.Status404NotFound);
            IHeaderDictionary headers = context.Response.Headers;
            headers.ContentSecurityPolicy = Policy;
            headers["Referrer-Policy"] = "no-referrer";
            headers.CacheControl = "no-store";
            return handler(context);
        });

    private void MapFile(WebApplication app, string path, string name, string type)
    {
        string text = ReadFile(name);
        Map(app, path, context => TextResponse.WriteAsync(context, text, type: type));
    }

    private static string ReadFile(string name)
    {
        using Stream stream = typeof(PageEndpoints).Assembly.GetManifestResourceStream("pages/" + name)!;
        using StreamReader reader = new(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    private Task LandingAsync(HttpContext context) => TextResponse.WriteAsync(context, LandingPage.Render(holder, collector, gate, endpoints.LastScrape), type: Html);

    private Task HotApiAsync(HttpContext context)
    {
        if (!TryReadRows(context.Request.Query["n"], out int rows))
        {
            string error = $"invalid n: must be 1-{HotThreadTracker.MaxThreads}";
            return TextResponse.WriteAsync(context, JsonSerializer.Serialize(new ApiError(error), ApiJson.Default.ApiError) + "\n", StatusCodes.Status400BadRequest, Json);
        }
        hot.KeepAlive(rows, Clocks.MonotonicNanoseconds());
        HotThreadsResponse response = HotThreadsResponse.From(hot.Current, rows, holder.Current, holder.Last.Succeeded);
        return TextResponse.WriteAsync(context, JsonSerializer.Serialize(response, ApiJson.Default.HotThreadsResponse) + "\n", type: Json);
    }

    private static bool TryReadRows(StringValues values, out int rows)
    {
        rows = DefaultRows;
        return values.Count == 0
            || (values.Count == 1 && int.TryParse(values[0], NumberStyles.None, CultureInfo.InvariantCulture, out rows) && rows is >= 1 and <= HotThreadTracker.MaxThreads);
    }
}

/// <summary>Body of an error response.</summary>
internal sealed record ApiError(string Error);

/// <summary>Serializes without reflection, because the binary is trimmed.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(HotThreadsResponse))]
[JsonSerializable(typeof(ApiError))]
internal sealed partial class ApiJson : JsonSerializerContext;
