using Microsoft.AspNetCore.Http.Features;

namespace ThreadExporter.Web.Server;

/// <summary>
/// Around everything that answers: the headers that every answer carries, errors and refusals included, and a plain 500
/// for a fault of ours. What Kestrel refuses by itself (400, 408, 414, 431: no request came of it) has no body and no header
/// but the date.
/// </summary>
internal static class ResponseGuard
{
    /// <summary>For an answer that is no page: nothing may be loaded, run or framed. A page sets its own.</summary>
    private const string NothingAllowed = "default-src 'none'; frame-ancestors 'none'";

    private const string BodyRefused = "No request here takes a body.\n";

    /// <summary>First of all that is mapped or used.</summary>
    public static void Use(WebApplication app)
    {
        ILogger logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(ResponseGuard));
        app.Use(async (context, next) =>
        {
            context.Features.Get<TrackedConnection>()?.OnRequestStart();
            try
            {
                SetHeaders(context.Response);
                if (context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true })
                    await RefuseBodyAsync(context);
                else
                    await next(context);
            }
            // The client went away; there is nobody to tell.
            catch (Exception) when (context.RequestAborted.IsCancellationRequested)
            {
            }
            catch (Exception e) when (!context.Response.HasStarted)
            {
                logger.LogError(e, "{Method} {Path} failed", context.Request.Method, context.Request.Path);
                context.Response.Clear();
                SetHeaders(context.Response);
                context.Response.StatusCode = StatusCodes.Status500InternalServerError;
            }
        });
    }

    private static void SetHeaders(HttpResponse response)
    {
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.ContentSecurityPolicy = NothingAllowed;
    }

    private static Task RefuseBodyAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
        // Else Kestrel would read the body to its end to reach the next request.
        context.Response.Headers.Connection = "close";
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.ContentLength = BodyRefused.Length;
        return context.Response.WriteAsync(BodyRefused);
    }
}
