using System.Text;

namespace ThreadExporter.Web.Server;

/// <summary>Writes a response whose whole body is one text. A HEAD request gets the same headers without the body.</summary>
internal static class TextResponse
{
    private const string PlainText = "text/plain; charset=utf-8";

    public static Task WriteAsync(HttpContext context, string text, int status = StatusCodes.Status200OK, string type = PlainText)
    {
        byte[] body = Encoding.UTF8.GetBytes(text);
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        context.Response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(body).AsTask();
    }
}
