using ThreadExporter.HotThreads;
using ThreadExporter.Recording;
using ThreadExporter.Settings;

namespace ThreadExporter.Web.Pages;

/// <summary>The part of the API that answers from the recorder's database. docs/api.md describes it.</summary>
internal sealed class RecorderEndpoints(Recorder recorder, ConfigHolder holder)
{
    private const int DefaultSteps = 288, MostSteps = 1000;

    private const string Off = "the recorder is off", Nothing = "nothing is recorded yet";

    /// <summary><c>/api/v1/hot?at=T</c>.</summary>
    /// <param name="context">The request.</param>
    /// <param name="rows">Threads at most.</param>
    public async Task HotAsync(HttpContext context, int rows)
    {
        if (!ApiParameters.TryReadTime(context.Request.Query, "at", out long? time, out string error) || time is not { } at)
        {
            await RejectAsync(context, error);
            return;
        }
        long tolerance = (long)holder.Current.Config.Recorder.Interval.TotalMilliseconds;
        if (await AskAsync(context, queries => (Range: queries.Range(), Interval: queries.At(at, tolerance))) is not { } found)
            return;
        if (found.Interval is not { } interval || found.Range is not { } range)
        {
            await NotRecordedAsync(context, found.Range is null ? Nothing : $"nothing was recorded at {ApiTime.Text(at)}", found.Range);
            return;
        }
        HotThreadsResponse response = HotThreadsResponse.From(interval, range, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), rows, holder.Current, holder.Last.Succeeded);
        await ApiResponse.WriteAsync(context, response, ApiJson.Default.HotThreadsResponse);
    }

    /// <summary><c>/api/v1/recorder</c>: how much was recorded, and a picture of it.</summary>
    public async Task RecorderAsync(HttpContext context)
    {
        if (!ApiParameters.TryReadNumber(context.Request.Query["steps"], DefaultSteps, MostSteps, out int steps))
        {
            await RejectAsync(context, $"invalid steps: must be 1-{MostSteps}");
            return;
        }
        if (!TryReadRange(context, out long? from, out long? to, out string error))
        {
            await RejectAsync(context, error);
            return;
        }
        RecordedRange? range = null;
        RecordedStep[] points = [];
        if (recorder.IsOn)
        {
            if (await AskAsync(context, queries =>
            {
                RecordedRange? shown = Limit(queries.Range(), from, to);
                return (Range: shown, Points: shown is { } some ? RecordedSteps.Divide(some, steps, queries.Sums(some)) : []);
            }) is not { } found)
            {
                return;
            }
            (range, points) = found;
        }
        RecorderResponse response = new(
            range is { } known ? ApiTime.Text(known.From) : null, range is { } end ? ApiTime.Text(end.To) : null, recorder.IsOn,
            holder.Current.Config.Recorder.Interval.TotalSeconds, recorder.Bytes, recorder.Lost, [.. points.Select(RecorderPointResponse.Of)]);
        await ApiResponse.WriteAsync(context, response, ApiJson.Default.RecorderResponse);
    }

    /// <summary><c>/api/v1/report</c>: what used and waited for the CPUs in a range.</summary>
    public async Task ReportAsync(HttpContext context)
    {
        if (!ApiParameters.TryReadRows(context.Request.Query, out int rows, out string error) || !TryReadRange(context, out long? from, out long? to, out error))
        {
            await RejectAsync(context, error);
            return;
        }
        double saturation = holder.Current.Config.Sampler.Saturation;
        if (await AskAsync(context, queries =>
        {
            RecordedRange? all = queries.Range();
            RecordedRange? shown = Limit(all, from, to);
            RecordedReport report = new(saturation, rows);
            foreach (HotInterval interval in shown is { } some ? queries.Intervals(some) : [])
                report.Add(interval);
            return (All: all, Shown: shown, Report: report.Length == 0 ? null : ReportResponse.Of(report, shown!.Value));
        }) is not { } found)
        {
            return;
        }
        if (found.Report is null)
            await NotRecordedAsync(context, found.All is null ? Nothing : "nothing was recorded between from and to", found.All);
        else
            await ApiResponse.WriteAsync(context, found.Report, ApiJson.Default.ReportResponse);
    }

    /// <summary>The part of the recorded times between two times; null: there is none.</summary>
    private static RecordedRange? Limit(RecordedRange? all, long? from, long? to)
    {
        if (all is not { } recorded)
            return null;
        RecordedRange limited = new(Math.Max(recorded.From, from ?? recorded.From), Math.Min(recorded.To, to ?? recorded.To));
        return limited.From < limited.To ? limited : null;
    }

    private static bool TryReadRange(HttpContext context, out long? from, out long? to, out string error)
    {
        to = null;
        if (!ApiParameters.TryReadTime(context.Request.Query, "from", out from, out error) || !ApiParameters.TryReadTime(context.Request.Query, "to", out to, out error))
            return false;
        error = "invalid from: must be before to";
        return from is null || to is null || from < to;
    }

    /// <summary>Asks the recorder; when there is no answer, responds with the reason.</summary>
    /// <returns>Null: the response has been written.</returns>
    private async Task<T?> AskAsync<T>(HttpContext context, Func<RecorderQueries, T> ask)
        where T : struct
    {
        if (!recorder.IsOn)
        {
            await NotRecordedAsync(context, Off, null);
            return null;
        }
        try
        {
            return await recorder.AskAsync(ask);
        }
        catch (RecorderBusyException e)
        {
            context.Response.Headers.RetryAfter = "1";
            await ApiResponse.WriteAsync(context, new ApiError(e.Message), ApiJson.Default.ApiError, StatusCodes.Status503ServiceUnavailable);
            return null;
        }
    }

    private static Task RejectAsync(HttpContext context, string error) =>
        ApiResponse.WriteAsync(context, new ApiError(error), ApiJson.Default.ApiError, StatusCodes.Status400BadRequest);

    private static Task NotRecordedAsync(HttpContext context, string error, RecordedRange? range)
    {
        ApiNotRecorded body = new(error, range is { } recorded ? new ApiRange(ApiTime.Text(recorded.From), ApiTime.Text(recorded.To)) : null);
        return ApiResponse.WriteAsync(context, body, ApiJson.Default.ApiNotRecorded, StatusCodes.Status404NotFound);
    }
}
