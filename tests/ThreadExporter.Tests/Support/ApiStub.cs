using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace ThreadExporter.Tests.Support;

/// <summary>A server on loopback that answers every request as the test says.</summary>
internal sealed class ApiStub : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ApiStub(WebApplication app) => _app = app;

    public Uri Url => new(_app.Urls.Single());

    /// <summary>Path and query of each request.</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    /// <summary>The <c>Authorization</c> header of the last request.</summary>
    public string? Authorization { get; private set; }

    public static Task<ApiStub> StartAsync(int status, string body) => StartAsync(async context =>
    {
        context.Response.StatusCode = status;
        await context.Response.WriteAsync(body);
    });

    public static async Task<ApiStub> StartAsync(RequestDelegate answer)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        WebApplication app = builder.Build();
        ApiStub stub = new(app);
        app.Run(context =>
        {
            stub.Requests.Enqueue(context.Request.Path + context.Request.QueryString);
            stub.Authorization = context.Request.Headers.Authorization;
            return answer(context);
        });
        await app.StartAsync();
        return stub;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
