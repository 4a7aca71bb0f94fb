using System.Collections.Immutable;
using System.Net;
using System.Text;
using ThreadExporter.Settings;

namespace ThreadExporter.Web.Auth;

/// <summary>
/// Asks for a password before anything else is looked at, when there are users. Two paths are open (docs/decisions/0008):
/// a probe of Kubernetes cannot take a password from a secret, and they answer one fixed word.
/// </summary>
internal sealed class BasicAuth(ConfigHolder state, PasswordVerifier passwords, ILogger<BasicAuth> logger)
{
    private const string Challenge = "Basic realm=\"thread-exporter\", charset=\"UTF-8\"";

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        ImmutableDictionary<string, string> users = state.Current.Config.Web.BasicAuthUsers;
        if (users.IsEmpty || IsOpen(context.Request))
        {
            await next(context);
            return;
        }
        if (BasicCredentials.Parse(context.Request.Headers.Authorization) is not { } given)
        {
            await RefuseAsync(context, StatusCodes.Status401Unauthorized, "This needs a user name and a password.\n");
            return;
        }
        IPAddress address = context.Connection.RemoteIpAddress ?? IPAddress.None;
        switch (await passwords.CheckAsync(users, given, address, context.RequestAborted))
        {
            case LoginResult.Cached or LoginResult.Succeeded:
                await next(context);
                break;
            case LoginResult.Failed:
                // Not the name: some people type the password there.
                logger.LogDebug("Wrong user name or password from {Address}", address);
                await RefuseAsync(context, StatusCodes.Status401Unauthorized, "Wrong user name or password.\n");
                break;
            default:
                context.Response.Headers.RetryAfter = "1";
                await RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, "Too many passwords wait to be checked.\n");
                break;
        }
    }

    private static bool IsOpen(HttpRequest request) => request.Path.Value is "/-/healthy" or "/-/ready";

    private static Task RefuseAsync(HttpContext context, int status, string text)
    {
        byte[] body = Encoding.ASCII.GetBytes(text);
        context.Response.StatusCode = status;
        if (status == StatusCodes.Status401Unauthorized)
            context.Response.Headers.WWWAuthenticate = Challenge;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(body).AsTask();
    }
}
