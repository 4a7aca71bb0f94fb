using System.Globalization;
using ThreadExporter.Client;
using ThreadExporter.Text;
using ThreadExporter.Web.Pages;

namespace ThreadExporter.Top;

/// <summary>The whole screen as lines: what is measured, the table or a page, and the keys.</summary>
/// <param name="name">Name of the source.</param>
/// <param name="notice">The source's notice; null: none.</param>
/// <param name="isUtf8">False: the terminal can show ASCII only.</param>
internal sealed class TopScreen(string name, string? notice, bool isUtf8)
{
    // As on the hot page: below it, short-lived threads are not the reason for anything.
    private const int HintShare = 4, LeastHint = 10;
    private const int MaxHints = 2;

    // Above the table: where, host, and a line of its own for each message. Below it: the keys.
    private const int FixedLines = 4;

    /// <summary>Rows of the table on a screen of so many lines, without messages.</summary>
    public static int TableRows(int rows) => Math.Max(1, rows - FixedLines);

    /// <summary>Exactly as many lines as the screen has.</summary>
    public List<ScreenLine> Render(TopView view, int columns, int rows)
    {
        List<ScreenLine> lines = [.. Top(view, columns)];
        int room = Math.Max(1, rows - lines.Count - 1);
        ScreenLine[] body = view switch
        {
            { Page: TopPage.Help } => Scroll(TopPages.Help(columns), view.Scrolled, room),
            { Page: TopPage.Details } => Scroll(TopPages.Details(view, columns, isUtf8), view.Scrolled, room),
            { Threads.Length: 0 } => [.. Nothing(view).SelectMany(t => ScreenText.Wrap(t, columns - 2)).Select(t => ScreenLine.Of($" {t}"))],
            _ => Table(view, columns, room),
        };
        lines.AddRange(body.Take(room));
        while (lines.Count < rows - 1)
            lines.Add(new ScreenLine());
        lines.Add(Keys(view));
        return [.. lines.Take(rows - 1), lines[^1]];
    }

    /// <summary>The same for a pipe or a file: all rows, complete, without keys.</summary>
    public List<ScreenLine> RenderBatch(TopView view) =>
    [
        .. Top(view, int.MaxValue),
        .. view.Threads.Length == 0 ? Nothing(view).Select(t => ScreenLine.Of($" {t}")) : TableOf(new TopTable(view.Threads), view.Threads, selected: -1),
    ];

    private IEnumerable<ScreenLine> Top(TopView view, int columns)
    {
        ScreenLine first = ScreenLine.Of(" thread-exporter top", Tone.Strong).Add($"  {name}  ");
        if (view.Response is not { } response)
        {
            yield return first.Add(view.Error is null ? "measuring" : "no answer", Tone.Strong);
        }
        else
        {
            AddTime(first, view);
            yield return first.Add(string.Create(CultureInfo.InvariantCulture, $", averages of {response.WindowSeconds:0.0} s"));
            yield return Host(response);
        }
        foreach ((string text, Tone tone) in Messages(view))
            yield return ScreenLine.Of($" {ScreenText.Cut(text, columns - 1)}", tone);
    }

    private static void AddTime(ScreenLine line, TopView view)
    {
        if (view.Recorded is { At: { } at })
        {
            line.Add($"RECORDED {PointInTime.Show(at.ToLocalTime())}", Tone.Alarm);
            return;
        }
        line.Add($"{view.TakenAt.ToString("HH:mm:ss zzz", CultureInfo.InvariantCulture)}  ");
        if (view.IsPaused || view.Error is not null)
            line.Add(view.IsPaused ? "PAUSED" : "no answer", Tone.Alarm);
        else
            line.Add("live", Tone.Strong);
    }

    private static ScreenLine Host(HotThreadsResponse response)
    {
        ScreenLine line = ScreenLine.Of(" " + Plural.Count(response.Watched.Threads, "thread", "threads") + " of " + Plural.Count(response.Watched.Processes, "process", "processes"));
        if (response.Host is not { } host)
            return line;
        line.Add($"  {Plural.Count(host.Cpus, "CPU", "CPUs")}: watched {Texts.Percent(host.WatchedSeconds, response.WindowSeconds)}"
            + $", others {Texts.Percent(host.UnwatchedSeconds, response.WindowSeconds)}");
        if (host.StealSeconds > 0)
            line.Add($", steal {Texts.Percent(host.StealSeconds, response.WindowSeconds)}", Tone.Warning);
        return line.Add($", short-lived {Texts.Percent(host.ShortLivedSeconds, response.WindowSeconds)}");
    }

    private IEnumerable<(string, Tone)> Messages(TopView view)
    {
        if (view.Error is { } error)
            yield return (error, Tone.Alarm);
        if (notice is not null)
            yield return (notice, Tone.Faint);
        if (view.Response is not { } response)
            yield break;
        if (!response.Watched.LastReloadSuccessful)
            yield return ("The last reload of the configuration failed; the previous filters remain active.", Tone.Warning);
        if (view.Filter.Length > 0 && !view.IsTyping)
            yield return ($"Only threads that contain: {view.Filter}   (Esc shows all)", Tone.Strong);
        // The details have it of their own process.
        if (view.Page != TopPage.Threads)
            yield break;
        foreach (HotProcessResponse process in response.Processes.Where(p => IsShortLived(p, response.WindowSeconds)).OrderByDescending(ShortLived).Take(MaxHints))
            yield return (Hint(process, response.WindowSeconds), Tone.Warning);
    }

    // Below a tenth of a core nobody looks for the reason.
    private static bool IsShortLived(HotProcessResponse process, decimal window) =>
        ShortLived(process) > (process.CpuSeconds + process.WaitedChildrenSeconds) / HintShare && ShortLived(process) * LeastHint > window;

    private static decimal ShortLived(HotProcessResponse process) => (process.UnattributedSeconds ?? 0) + process.WaitedChildrenSeconds;

    private static string Hint(HotProcessResponse process, decimal window)
    {
        string names = string.Join(", ", process.Exited.Take(2).Select(e => $"{e.Name} {Texts.Percent(e.CpuSeconds, window)} ({e.Exits} exited)"));
        return FormattableString.Invariant($"{process.Name} {process.Pid}: {Texts.Percent(ShortLived(process), window)} of a core used by short-lived threads or processes{(names.Length > 0 ? ": " : "")}{names}");
    }

    private ScreenLine[] Table(TopView view, int columns, int room)
    {
        // The selected row stays on the screen.
        int rows = Math.Max(1, room - 1);
        int first = Math.Clamp(view.Selected - rows / 2, 0, Math.Max(0, view.Threads.Length - rows));
        return [.. TableOf(new TopTable(columns, isUtf8), view.Threads[first..Math.Min(view.Threads.Length, first + rows)], view.Selected - first)];
    }

    private static IEnumerable<ScreenLine> TableOf(TopTable table, HotThreadResponse[] threads, int selected) =>
        [table.Head(), .. threads.Select((thread, i) => table.Row(thread, i == selected))];

    private static ScreenLine[] Scroll(IReadOnlyList<ScreenLine> page, int scrolled, int room) =>
        [.. page.Skip(Math.Min(scrolled, Math.Max(0, page.Count - room)))];

    private static IEnumerable<string> Nothing(TopView view)
    {
        yield return "";
        if (view.Response is not { } response)
            yield return view.Error is null ? "Measuring." : "It is asked again.";
        else if (view.Filter.Length > 0 && response.Threads.Length > 0)
            yield return $"None of the {Plural.Count(response.Threads.Length, "busiest thread", "busiest threads")} contains \"{view.Filter}\". Esc shows all.";
        else if (response.Watched.Filters == 0)
            yield return "Nothing is watched, because no filter is configured. Name processes with --filter, such as: thread-exporter top --filter mariadbd,ceph-osd";
        else if (response.Watched.Processes == 0)
            yield return "Nothing is watched, because no filter matches a process. thread-exporter check lists what each filter matches; --filter names other processes.";
        else
            yield return $"None of the {Plural.Count(response.Watched.Threads, "watched thread", "watched threads")} has used CPU in the last minutes.";
    }

    private static ScreenLine Keys(TopView view)
    {
        if (view.IsTyping)
            return ScreenLine.Of(" /", Tone.Strong).Add(view.Filter + "_").Add("   Enter keeps it, Esc shows all", Tone.Faint);
        string sort = view.Sort switch { TopSort.Cpu => "CPU", TopSort.Wait => "wait", TopSort.Verdict => "verdict", TopSort.Thread => "thread", _ => "process" };
        string text = view.Page == TopPage.Threads
            ? $" q quit  s sort: {sort}  / filter  p pause  Enter details  h help   {view.Selected + 1} of {view.Threads.Length}"
            : " q quit  Esc back  p pause  arrows scroll";
        return ScreenLine.Of(text, Tone.Faint);
    }
}
