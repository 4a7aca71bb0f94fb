using ThreadExporter.Recording;

namespace ThreadExporter.Web.Pages;

/// <summary>The response of <c>/api/v1/recorder</c>. A test compares docs/api.md with it.</summary>
internal sealed record RecorderResponse(
    string? From, string? To, bool Enabled, double IntervalSeconds, long Bytes, long IntervalsLost, RecorderPointResponse[] Points);

internal sealed record RecorderPointResponse(string From, string To, double CpuCores, double PeakShare, double WaitingCores, int Intervals)
{
    public static RecorderPointResponse Of(RecordedStep step) =>
        new(ApiTime.Text(step.Time.From), ApiTime.Text(step.Time.To), Math.Round(step.Cpu, 4), Math.Round(step.Peak, 4), Math.Round(step.Wait, 4), step.Intervals);
}

/// <summary>The response of <c>/api/v1/report</c>. A test compares docs/api.md with it.</summary>
internal sealed record ReportResponse(
    string From, string To, decimal RecordedSeconds, ReportThreadResponse[] Cpu, ReportThreadResponse[] Wait, ReportSaturatedResponse[] Saturated, ReportThrottledResponse[] Throttled)
{
    private const decimal NanosecondsPerSecond = 1_000_000_000m;

    public static ReportResponse Of(RecordedReport report, RecordedRange range) => new(
        ApiTime.Text(range.From), ApiTime.Text(range.To), Seconds(report.Length),
        [.. report.ByCpu.Select(t => Thread(t, report.Length))], [.. report.ByWait.Select(t => Thread(t, report.Length))],
        [.. report.Saturated.Select(static s => new ReportSaturatedResponse(
            s.Key.Process, s.Key.Pid, s.Key.Name, s.Key.Tid, ApiTime.Text(s.Time.From), ApiTime.Text(s.Time.To), Seconds(s.Length), Share(s.Cpu, s.Length)))],
        [.. report.Throttled.Select(static s => new ReportThrottledResponse(
            s.Key.Process, s.Key.Pid, s.Key.Name, s.Key.Tid, ApiTime.Text(s.Time.From), ApiTime.Text(s.Time.To), s.Reason))]);

    private static ReportThreadResponse Thread(ReportThread thread, long length) => new(
        thread.Key.Process, thread.Key.Pid, thread.Daemon, thread.Filter, thread.Key.Name, thread.Key.Tid, Seconds(thread.Cpu), Share(thread.Cpu, length), Math.Round(thread.Peak, 4),
        thread.PeakAt == 0 ? null : ApiTime.Text(thread.PeakAt), Seconds(thread.Wait));

    private static double Share(long time, long length) => length <= 0 ? 0 : Math.Round(Math.Min(1, (double)time / length), 4);

    private static decimal Seconds(long nanoseconds) => nanoseconds / NanosecondsPerSecond;
}

internal sealed record ReportThreadResponse(
    string Process, int Pid, string Daemon, string Filter, string Name, int Tid, decimal CpuSeconds, double Share, double PeakShare, string? PeakAt, decimal WaitSeconds);

internal sealed record ReportSaturatedResponse(string Process, int Pid, string Name, int Tid, string From, string To, decimal Seconds, double Share);

internal sealed record ReportThrottledResponse(string Process, int Pid, string Name, int Tid, string From, string To, string Reason);
