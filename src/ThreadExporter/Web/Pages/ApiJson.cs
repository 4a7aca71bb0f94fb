using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using ThreadExporter.Web.Server;

namespace ThreadExporter.Web.Pages;

/// <summary>Body of an error response.</summary>
internal sealed record ApiError(string Error);

/// <summary>Body of a 404 about a time that was not recorded.</summary>
/// <param name="Error">Why, one line.</param>
/// <param name="Recorded">The times that are recorded; null: nothing is.</param>
internal sealed record ApiNotRecorded(string Error, ApiRange? Recorded);

/// <summary>A range of times, as text.</summary>
internal sealed record ApiRange(string From, string To);

/// <summary>Serializes without reflection, because the binary is trimmed.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(HotThreadsResponse))]
[JsonSerializable(typeof(RecorderResponse))]
[JsonSerializable(typeof(ReportResponse))]
[JsonSerializable(typeof(ApiError))]
[JsonSerializable(typeof(ApiNotRecorded))]
internal sealed partial class ApiJson : JsonSerializerContext;

/// <summary>Writes a response of the API.</summary>
internal static class ApiResponse
{
    private const string Json = "application/json; charset=utf-8";

    public static Task WriteAsync<T>(HttpContext context, T body, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK) =>
        TextResponse.WriteAsync(context, JsonSerializer.Serialize(body, type) + "\n", status, Json);
}
