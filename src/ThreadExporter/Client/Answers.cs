using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using ThreadExporter.Web.Pages;

namespace ThreadExporter.Client;

/// <summary>Reads the JSON of the API (docs/api.md). It comes from the network: anything may be missing.</summary>
internal static class Answers
{
    /// <summary>Null: the text is not JSON of this type.</summary>
    public static T? Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(json, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Whether a response has all that is shown. .NET leaves what is missing at null.</summary>
    public static bool IsComplete([NotNullWhen(true)] HotThreadsResponse? response) =>
        response is { Watched: not null, Threads: { } threads, Processes: { } processes }
        && threads.All(t => t is { Name: not null, Process: not null, Daemon: not null, Filter: not null, State: not null, Verdict: not null, Reason: not null, History: not null }
            && t.Role is null or { Name: not null, Text: not null })
        && processes.All(p => p is { Name: not null, Exited: { } exited } && exited.All(e => e is { Name: not null }))
        && response.Host is null or { Neighbours: not null };
}

/// <summary>The body of an error: what is wrong, and for which time there are records.</summary>
internal sealed record ApiProblem(string? Error, RecordedRange? Recorded);

/// <summary>From the oldest to the newest record.</summary>
internal sealed record RecordedRange(DateTimeOffset? From, DateTimeOffset? To);

/// <summary>What <c>/api/v1/hot?at=</c> adds to the live response.</summary>
internal sealed record RecordedResponse(RecordedMoment? Recorded);

/// <param name="At">The end of the interval.</param>
/// <param name="From">Its start.</param>
internal sealed record RecordedMoment(DateTimeOffset? At, DateTimeOffset? From);

/// <summary>The response of <c>/api/v1/report</c>.</summary>
internal sealed record ReportResponse(
    DateTimeOffset? From, DateTimeOffset? To, double RecordedSeconds, ReportThread[]? Cpu, ReportThread[]? Wait, ReportSpan[]? Saturated, ReportThrottling[]? Throttled);

/// <summary>A thread in the period. Times are in seconds, shares are those of a core, 0 to 1.</summary>
internal sealed record ReportThread(
    string? Process, int Pid, string? Daemon, string? Filter, string? Name, int Tid, double CpuSeconds, double Share, double PeakShare, DateTimeOffset? PeakAt, double? WaitSeconds);

/// <summary>A time in which a thread used at least <c>sampler.saturation</c> of a core.</summary>
internal sealed record ReportSpan(string? Process, int Pid, string? Name, int Tid, DateTimeOffset? From, DateTimeOffset? To, double Seconds, double Share);

/// <summary>A time in which a thread or process was throttled.</summary>
internal sealed record ReportThrottling(string? Process, int Pid, string? Name, DateTimeOffset? From, DateTimeOffset? To, string? Reason);

/// <summary>Without reflection, because the binary is trimmed.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(HotThreadsResponse))]
[JsonSerializable(typeof(ApiProblem))]
[JsonSerializable(typeof(RecordedResponse))]
[JsonSerializable(typeof(ReportResponse))]
internal sealed partial class AnswerJson : JsonSerializerContext;
