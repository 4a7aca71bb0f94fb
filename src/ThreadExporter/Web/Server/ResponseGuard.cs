using Microsoft.AspNetCore.Http.Features;

namespace ThreadExporter.Web.Server;

/// <summary>
/// Outermost middleware: sets the headers of every response, including errors, and turns an unhandled exception into an empty
/// 500. Requests that Kestrel rejects before they reach the application (400, 408, 414, 431) get no body and only a Date header.
/// </summary>
internal static class ResponseGuard
{
    /// <summary>For responses that are not pages: nothing may be loaded, run or framed. A page sets its own policy.</summary>
    private const string DenyAllPolicy = "default-src 'none'; frame-ancestors 'none'";

    /// <summary>Must be the first middleware.</summary>
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
                    await RejectBodyAsync(context);
                else
                    await next(context);
            }
            // The client disconnected; no response can be sent.
            catch (Exception) when (context.RequestAborted.IsCancellationRequested)
            {
            }
            catch (Exception e) when (!context.Response.HasStarted)
            {
                logger.RequestFailed(e, context.Request.Method, context.Request.Path);
                context.Response.Clear();
                SetHeaders(context.Response);
                context.Response.StatusCode = StatusCodes.Status500InternalServerError;
            }
        });
    }

    private static void SetHeaders(HttpResponse response)
    {
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.ContentSecurityPolicy = DenyAllPolicy;
    }

    private static Task RejectBodyAsync(HttpContext context)
    {
        // Otherwise Kestrel would read the body to its end to reach the next request.
        context.Response.Headers.Connection = "close";
        return TextResponse.WriteAsync(context, "Request bodies are not accepted.\n", StatusCodes.Status413PayloadTooLarge);
    }
}
