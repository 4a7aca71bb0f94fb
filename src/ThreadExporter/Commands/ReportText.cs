using System.Globalization;
using Spectre.Console;
using ThreadExporter.Client;
using ThreadExporter.Top;

namespace ThreadExporter.Commands;

/// <summary>A report as text, at most 100 characters wide. All times have the offset of the period's start, which the first line names.</summary>
internal static class ReportText
{
    private const int Width = 100;
    private const int NameWidth = 16, ThreadWidth = 16;

    public static IEnumerable<string> Lines(ReportResponse report, DateTimeOffset from, DateTimeOffset to, TimeZoneInfo zone)
    {
        TimeSpan offset = zone.GetUtcOffset(from);
        (from, to) = (from.ToOffset(offset), to.ToOffset(offset));
        // The day is written with each time only where it can be another one.
        string format = from.Date == to.Date ? "HH:mm:ss" : "MM-dd HH:mm:ss";
        yield return string.Create(CultureInfo.InvariantCulture,
            $"Threads from {PointInTime.Show(from)} to {PointInTime.Show(to)}, {Duration(report.RecordedSeconds)} recorded");
        foreach (string line in Threads("Most CPU time", report.Cpu))
            yield return line;
        foreach (string line in Threads("Longest wait for a CPU", report.Wait))
            yield return line;
        foreach (string line in Spans(report.Saturated ?? []))
            yield return line;
        foreach (string line in Throttling(report.Throttled ?? []))
            yield return line;

        string Time(DateTimeOffset? at) => at is { } point ? point.ToOffset(offset).ToString(format, CultureInfo.InvariantCulture) : "-";

        IEnumerable<string> Threads(string title, ReportThread[]? threads) => Table(title, "none",
            ["PROCESS", "PID", "THREAD", "TID", ">CPU", ">SHARE", ">PEAK", "PEAK AT", ">WAIT"],
            (threads ?? []).Select(t => (string[])
            [
                Name(t.Process, NameWidth), Texts.Number(t.Pid), Name(t.Name, ThreadWidth), Texts.Number(t.Tid),
                Duration(t.CpuSeconds), Texts.Percent(t.Share), Texts.Percent(t.PeakShare), Time(t.PeakAt), t.WaitSeconds is { } wait ? Duration(wait) : "-",
            ]));

        IEnumerable<string> Spans(ReportSpan[] spans) => Table("Saturated: a whole core, without a pause", "no thread",
            ["PROCESS", "PID", "THREAD", "TID", "FROM", "TO", ">TIME", ">SHARE"],
            spans.Select(s => (string[])
                [Name(s.Process, NameWidth), Texts.Number(s.Pid), Name(s.Name, ThreadWidth), Texts.Number(s.Tid), Time(s.From), Time(s.To), Duration(s.Seconds), Texts.Percent(s.Share)]));

        IEnumerable<string> Throttling(ReportThrottling[] throttled) => Table("Throttled: the CPU limit of a cgroup was used up", "nothing",
            ["PROCESS", "PID", "THREAD", "FROM", "TO", "REASON"],
            throttled.Select(t => (string[])[Name(t.Process, NameWidth), Texts.Number(t.Pid), Name(t.Name ?? "-", ThreadWidth), Time(t.From), Time(t.To), Safe(t.Reason)]));
    }

    /// <summary>A title and a table; or the title with what it means that there are no rows.</summary>
    /// <param name="title">The title.</param>
    /// <param name="none">Said of an empty table.</param>
    /// <param name="heads">The heads of the columns; one that starts with &gt; is aligned to the right.</param>
    /// <param name="rows">As many cells as heads; the last one is continued on further lines.</param>
    private static IEnumerable<string> Table(string title, string none, string[] heads, IEnumerable<string[]> rows)
    {
        Table table = new() { Border = TableBorder.None };
        foreach (string head in heads)
        {
            bool isRight = head.StartsWith('>');
            table.AddColumn(new TableColumn(Tones.Cell(head.TrimStart('>')))
            {
                Alignment = isRight ? Justify.Right : Justify.Left,
                NoWrap = head != heads[^1],
                Padding = new Padding(0, 0, head == heads[^1] ? 0 : 2, 0),
            });
        }
        foreach (string[] row in rows)
            table.AddRow(row.Select(cell => Tones.Cell(cell)));
        if (table.Rows.Count == 0)
            return ["", $"{title}: {none}"];
        return ["", title, .. new ScreenWriter(isTerminal: false, hasColor: false).Lines([table], Width).Select(line => line.TrimEnd())];
    }

    private static string Name(string? name, int width) => ScreenText.Cut(Safe(name), width);

    private static string Safe(string? text) => ScreenText.Of(text ?? "", isUtf8: true);

    // Three digits are enough to compare, and short enough for a column.
    private static string Duration(double seconds) => seconds switch
    {
        < 100 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s"),
        < 6000 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:0.0} h"),
    };
}
