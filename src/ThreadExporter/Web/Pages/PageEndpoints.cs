using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Primitives;
using ThreadExporter.Collection;
using ThreadExporter.HotThreads;
using ThreadExporter.Linux;
using ThreadExporter.Settings;

namespace ThreadExporter.Web.Pages;

/// <summary>
/// The pages for people and the API behind them. Everything a page needs comes from the binary, and its policy lets the
/// browser take nothing else: no inline script or style, no other host.
/// </summary>
internal sealed class PageEndpoints(Collector collector, CollectionGate gate, ConfigHolder state, HotThreadTracker hot, MetricsEndpoints endpoints)
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

    private void Map(WebApplication app, string path, RequestDelegate answer) =>
        app.MapMethods(path, [HttpMethods.Get, HttpMethods.Head], context =>
        {
            if (!state.Current.Config.Web.Pages)
                return MetricsEndpoints.WriteAsync(context, "Pages are switched off (web.pages).\n", StatusCodes.Status404NotFound);
            IHeaderDictionary headers = context.Response.Headers;
            headers.ContentSecurityPolicy = Policy;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";
            headers.CacheControl = "no-store";
            return answer(context);
        });

    private void MapFile(WebApplication app, string path, string name, string type)
    {
        string text = ReadFile(name);
        Map(app, path, context => MetricsEndpoints.WriteAsync(context, text, type: type));
    }

    private static string ReadFile(string name)
    {
        using Stream stream = typeof(PageEndpoints).Assembly.GetManifestResourceStream("pages/" + name)!;
        using StreamReader reader = new(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    private Task LandingAsync(HttpContext context) => MetricsEndpoints.WriteAsync(context, LandingPage.Render(state, collector, gate, endpoints.LastScrape), type: Html);

    private Task HotApiAsync(HttpContext context)
    {
        if (!TryReadRows(context.Request.Query["n"], out int rows))
        {
            string fault = $"n must be a whole number from 1 to {HotThreadTracker.MaxThreads}";
            return MetricsEndpoints.WriteAsync(context, JsonSerializer.Serialize(new ApiError(fault), ApiJson.Default.ApiError) + "\n", StatusCodes.Status400BadRequest, Json);
        }
        hot.KeepAlive(rows, Clocks.MonotonicNanoseconds());
        HotThreadsResponse answer = HotThreadsResponse.From(hot.Current, rows, state);
        return MetricsEndpoints.WriteAsync(context, JsonSerializer.Serialize(answer, ApiJson.Default.HotThreadsResponse) + "\n", type: Json);
    }

    private static bool TryReadRows(StringValues given, out int rows)
    {
        rows = DefaultRows;
        return given.Count == 0
            || (given.Count == 1 && int.TryParse(given[0], NumberStyles.None, CultureInfo.InvariantCulture, out rows) && rows is >= 1 and <= HotThreadTracker.MaxThreads);
    }
}

/// <summary>What is wrong with a request.</summary>
internal sealed record ApiError(string Error);

/// <summary>Serialization without reflection: the binary is trimmed.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(HotThreadsResponse))]
[JsonSerializable(typeof(ApiError))]
internal sealed partial class ApiJson : JsonSerializerContext;
