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

/// <summary>The endpoints for metrics, health checks and reload. A response is started only when its content is complete.</summary>
internal sealed class MetricsEndpoints(ScrapeCoordinator scrapes, ConfigHolder holder, ReloadQueue reloads, ILogger<MetricsEndpoints> logger)
{
    private int _requests;
    private long _lastScrape;

    /// <summary>Time of the last scrape (<see cref="Stopwatch"/> timestamp); 0: never.</summary>
    public long LastScrape => Volatile.Read(ref _lastScrape);

    public void Map(WebApplication app)
    {
        string[] read = [HttpMethods.Get, HttpMethods.Head];
        app.MapMethods(holder.Current.Config.Web.TelemetryPath, read, MetricsAsync);
        app.MapMethods("/-/healthy", read, context => TextResponse.WriteAsync(context, "thread-exporter is healthy.\n"));
        app.MapMethods("/-/ready", read, context => TextResponse.WriteAsync(context, "thread-exporter is ready.\n"));
        app.MapMethods("/-/reload", [HttpMethods.Post, HttpMethods.Put], ReloadAsync);
    }

    private async Task MetricsAsync(HttpContext context)
    {
        if (Interlocked.Increment(ref _requests) > holder.Current.Config.Web.MaxRequests)
        {
            Interlocked.Decrement(ref _requests);
            context.Response.Headers.RetryAfter = "1";
            await TextResponse.WriteAsync(context, "Too many concurrent scrapes (web.max_requests).\n", StatusCodes.Status503ServiceUnavailable);
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
        if (request.Names?.FirstOrDefault(n => !holder.Current.Config.Filters.Any(f => f.Name == n)) is { } unknown)
        {
            await TextResponse.WriteAsync(context, $"Unknown filter {Printable.Quote(unknown)}.\n", StatusCodes.Status400BadRequest);
            return;
        }
        PooledBuffer body;
        try
        {
            body = await scrapes.GetAsync(request);
            Volatile.Write(ref _lastScrape, Stopwatch.GetTimestamp());
        }
        // Whatever the error, only this scrape fails, with a clear response; the daemon continues.
        catch (Exception e)
        {
            logger.CollectionFailed(e);
            await TextResponse.WriteAsync(context, "Collection failed; see the log.\n", StatusCodes.Status500InternalServerError);
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
            // One segment at a time: each waits until the previous one has been sent, so that a response buffers only one segment.
            foreach (ReadOnlyMemory<byte> segment in body.Drain())
                await response.Body.WriteAsync(segment, context.RequestAborted);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client disconnected; no response can be sent.
        }
        finally
        {
            body.Release();
        }
    }

    private async Task ReloadAsync(HttpContext context)
    {
        if (!holder.Current.Config.Web.EnableLifecycle)
        {
            await TextResponse.WriteAsync(context, "Reload over HTTP is disabled (web.enable_lifecycle).\n", StatusCodes.Status403Forbidden);
            return;
        }
        ReloadResult result = await reloads.RequestAsync().WaitAsync(context.RequestAborted);
        if (result.Succeeded)
        {
            await TextResponse.WriteAsync(context, "Configuration reloaded.\n");
            return;
        }
        StringBuilder text = new("Invalid configuration; the previous one remains active.\n");
        foreach (ConfigError error in result.Errors)
            text.Append(ToPublicText(error)).Append('\n');
        await TextResponse.WriteAsync(context, text.ToString(), StatusCodes.Status500InternalServerError);
    }

    /// <summary>An error for network clients: its position and key, never a value from the file.</summary>
    public static string ToPublicText(ConfigError error) =>
        Printable.Of(error.Position.Line > 0 ? $"{error.Position.Line}:{error.Position.Column}: {(error.Key.Length > 0 ? error.Key : "syntax")}" : error.Message);
}
