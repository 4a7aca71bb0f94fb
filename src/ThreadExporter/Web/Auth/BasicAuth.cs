using System.Collections.Immutable;
using System.Net;
using ThreadExporter.Settings;
using ThreadExporter.Web.Server;

namespace ThreadExporter.Web.Auth;

/// <summary>
/// Requires a login for every request when users are configured, before the request is processed. Two paths are exempt
/// (docs/decisions/0008): a Kubernetes probe cannot read a password from a secret, and they return one fixed word.
/// </summary>
internal sealed class BasicAuth(ConfigHolder holder, PasswordVerifier passwords, ILogger<BasicAuth> logger)
{
    private const string Challenge = "Basic realm=\"thread-exporter\", charset=\"UTF-8\"";

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        ImmutableDictionary<string, string> users = holder.Current.Config.Web.BasicAuthUsers;
        if (users.IsEmpty || IsExempt(context.Request))
        {
            await next(context);
            return;
        }
        if (BasicCredentials.Parse(context.Request.Headers.Authorization) is not { } credentials)
        {
            await ChallengeAsync(context, "Authentication required.\n");
            return;
        }
        IPAddress address = context.Connection.RemoteIpAddress ?? IPAddress.None;
        switch (await passwords.CheckAsync(users, credentials, address, context.RequestAborted))
        {
            case LoginResult.Cached or LoginResult.Succeeded:
                await next(context);
                break;
            case LoginResult.Failed:
                logger.LoginFailed(address);
                await ChallengeAsync(context, "Wrong user name or password.\n");
                break;
            default:
                context.Response.Headers.RetryAfter = "1";
                await TextResponse.WriteAsync(context, "Too many pending logins.\n", StatusCodes.Status503ServiceUnavailable);
                break;
        }
    }

    private static bool IsExempt(HttpRequest request) => request.Path.Value is "/-/healthy" or "/-/ready";

    private static Task ChallengeAsync(HttpContext context, string text)
    {
        context.Response.Headers.WWWAuthenticate = Challenge;
        return TextResponse.WriteAsync(context, text, StatusCodes.Status401Unauthorized);
    }
}
