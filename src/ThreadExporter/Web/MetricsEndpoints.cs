using System.Diagnostics;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using ThreadExporter.Configuration;
using ThreadExporter.Exposition;
using ThreadExporter.Exposition.Buffers;
using ThreadExporter.Settings;
using ThreadExporter.Text;
using ThreadExporter.Web.Server;

namespace ThreadExporter.Web;

/// <summary>What the HTTP server answers. Nothing touches a response before what it shows has been made.</summary>
internal sealed class MetricsEndpoints(ScrapeCoordinator scrapes, ConfigHolder state, ReloadQueue reloads, ILogger<MetricsEndpoints> logger)
{
    private int _requests;
    private long _lastScrape;

    /// <summary>When metrics were last given out (<see cref="Stopwatch"/> timestamp); 0: never.</summary>
    public long LastScrape => Volatile.Read(ref _lastScrape);

    public void Map(WebApplication app)
    {
        string[] read = [HttpMethods.Get, HttpMethods.Head];
        app.MapMethods(state.Current.Config.Web.TelemetryPath, read, MetricsAsync);
        app.MapMethods("/-/healthy", read, context => WriteAsync(context, "thread-exporter is healthy.\n"));
        app.MapMethods("/-/ready", read, context => WriteAsync(context, "thread-exporter is ready.\n"));
        app.MapMethods("/-/reload", [HttpMethods.Post, HttpMethods.Put], ReloadAsync);
    }

    private async Task MetricsAsync(HttpContext context)
    {
        if (Interlocked.Increment(ref _requests) > state.Current.Config.Web.MaxRequests)
        {
            Interlocked.Decrement(ref _requests);
            context.Response.Headers.RetryAfter = "1";
            await WriteAsync(context, "Too many requests at one time (web.max_requests).\n", StatusCodes.Status503ServiceUnavailable);
            return;
        }
        TrackedConnection connection = context.Features.GetRequiredFeature<TrackedConnection>();
        try
        {
            connection.IsScraping = true;
            await SendScrapeAsync(context);
        }
        finally
        {
            connection.IsScraping = false;
            Interlocked.Decrement(ref _requests);
        }
    }

    private async Task SendScrapeAsync(HttpContext context)
    {
        ScrapeFormat format = ScrapeFormat.Negotiate(context.Request.Headers);
        ScrapeRequest request = ScrapeRequest.Of(format, context.Request.Query["filter"]);
        if (request.Names?.FirstOrDefault(n => !state.Current.Config.Filters.Any(f => f.Name == n)) is { } unknown)
        {
            await WriteAsync(context, $"No rule has the name {Printable.Quote(unknown)}, which the parameter filter asks for.\n", StatusCodes.Status400BadRequest);
            return;
        }
        PooledBuffer body;
        try
        {
            body = await scrapes.GetAsync(request);
            Volatile.Write(ref _lastScrape, Stopwatch.GetTimestamp());
        }
        // Whatever it is, one scrape fails with a clear answer and the daemon lives on to make the next.
        catch (Exception e)
        {
            logger.LogError(e, "A collection failed");
            await WriteAsync(context, "The collection failed; the log says why.\n", StatusCodes.Status500InternalServerError);
            return;
        }
        try
        {
            HttpResponse response = context.Response;
            response.ContentType = format.ContentType;
            response.ContentLength = body.Length;
            response.Headers.Vary = "Accept, Accept-Encoding";
            if (format.Gzip)
                response.Headers.ContentEncoding = "gzip";
            if (HttpMethods.IsHead(context.Request.Method))
                return;
            // Piece by piece: each waits until the one before has left, so that a response costs the server one piece.
            foreach (ReadOnlyMemory<byte> piece in body.Drain())
                await response.Body.WriteAsync(piece, context.RequestAborted);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client went away; there is nobody to tell.
        }
        finally
        {
            body.Release();
        }
    }

    private async Task ReloadAsync(HttpContext context)
    {
        if (!state.Current.Config.Web.EnableLifecycle)
        {
            await WriteAsync(context, "Reload over HTTP is switched off (web.enable_lifecycle).\n", StatusCodes.Status403Forbidden);
            return;
        }
        ReloadResult result = await reloads.RequestAsync().WaitAsync(context.RequestAborted);
        if (result.Succeeded)
        {
            await WriteAsync(context, "Configuration reloaded.\n");
            return;
        }
        StringBuilder text = new("The configuration is bad; the old one stays in force.\n");
        foreach (ConfigError error in result.Errors)
            text.Append(ToPublicText(error)).Append('\n');
        await WriteAsync(context, text.ToString(), StatusCodes.Status500InternalServerError);
    }

    /// <summary>An error for those who reach us over the network: where it is, never what value stands there.</summary>
    public static string ToPublicText(ConfigError error) =>
        Printable.Of(error.Position.Line > 0 ? $"{error.Position.Line}:{error.Position.Column}: {(error.Key.Length > 0 ? error.Key : "syntax")}" : error.Message);

    public static Task WriteAsync(HttpContext context, string text, int status = StatusCodes.Status200OK, string type = "text/plain; charset=utf-8")
    {
        byte[] body = Encoding.UTF8.GetBytes(text);
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        context.Response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(body).AsTask();
    }
}
