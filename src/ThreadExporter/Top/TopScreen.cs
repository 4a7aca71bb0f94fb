using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;
using ThreadExporter.Client;
using ThreadExporter.Text;
using ThreadExporter.Web.Pages;

namespace ThreadExporter.Top;

/// <summary>The whole screen as lines: what is measured, the table or a page, and the keys.</summary>
/// <param name="name">Name of the source.</param>
/// <param name="notice">The source's notice; null: none.</param>
/// <param name="isUtf8">False: the terminal can show ASCII only.</param>
/// <param name="writer">Makes the lines.</param>
internal sealed class TopScreen(string name, string? notice, bool isUtf8, ScreenWriter writer)
{
    // As on the hot page: below it, short-lived threads are not the reason for anything.
    private const int HintShare = 4, LeastHint = 10;
    private const int MaxHints = 2;

    // Wider than any line of it.
    private const int BatchColumns = 2000;

    // Above the table: where, host, and a line of its own for each message. Below it: the keys.
    private const int FixedLines = 4;

    /// <summary>Rows of the table on a screen of so many lines, without messages.</summary>
    public static int TableRows(int rows) => Math.Max(1, rows - FixedLines);

    /// <summary>Exactly as many lines as the screen has.</summary>
    public string[] Render(TopView view, int columns, int rows)
    {
        string[] top = writer.Lines(Top(view, columns), columns);
        int room = Math.Max(0, rows - top.Length - 1);
        string[] body = view.Page == TopPage.Threads ? Threads(view, columns, room) : Scroll(Page(view, columns), view.Scrolled, room);
        IEnumerable<string> lines = top.Concat(body.Take(room)).Take(rows - 1);
        return [.. lines.Concat(Enumerable.Repeat("", rows)).Take(rows - 1), .. writer.Lines([Keys(view, columns)], columns)];
    }

    /// <summary>The same for a pipe or a file: all rows, complete, without keys.</summary>
    public string[] RenderBatch(TopView view)
    {
        IEnumerable<IRenderable> body = view.Threads.Length == 0 ? Nothing(view).Select(t => Tones.Line($" {t}")) : [new TopTable(view.Threads).Draw(view.Threads, selected: -1)];
        return [.. writer.Lines(Top(view, BatchColumns).Concat(body), BatchColumns).Select(line => line.TrimEnd())];
    }

    private IEnumerable<IRenderable> Top(TopView view, int columns)
    {
        Paragraph first = Tones.Line(" thread-exporter top", Tone.Strong).Add($"  {name}  ");
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
            yield return Tones.Line($" {ScreenText.Cut(text, columns - 1)}", tone);
    }

    private static void AddTime(Paragraph line, TopView view)
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

    private static Paragraph Host(HotThreadsResponse response)
    {
        Paragraph line = Tones.Line(" " + Plural.Count(response.Watched.Threads, "thread", "threads") + " of " + Plural.Count(response.Watched.Processes, "process", "processes"));
        if (response.Host is not { } host)
            return line;
        line.Add($"  {Plural.Count(host.Cpus, "CPU", "CPUs")}: watched {Texts.Percent(host.WatchedSeconds, response.WindowSeconds)}"
            + $", others {Texts.Percent(host.UnwatchedSeconds, response.WindowSeconds)}");
        if (host.StealSeconds > 0)
            line.Add(", ").Add($"steal {Texts.Percent(host.StealSeconds, response.WindowSeconds)}", host.StealSeconds * LeastHint > response.WindowSeconds ? Tone.Warning : Tone.Plain);
        if (host.ShortLivedSeconds * LeastHint > response.WindowSeconds)
            line.Add($", short-lived {Texts.Percent(host.ShortLivedSeconds, response.WindowSeconds)}");
        return line;
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

    private string[] Threads(TopView view, int columns, int room)
    {
        if (view.Threads.Length == 0)
            return writer.Lines(Nothing(view).Select(t => new Padder(Tones.Cell(t), new Padding(1, 0))), columns);
        // The selected row stays on the screen.
        int rows = Math.Max(1, room - 1);
        int first = Math.Clamp(view.Selected - rows / 2, 0, Math.Max(0, view.Threads.Length - rows));
        HotThreadResponse[] shown = view.Threads[first..Math.Min(view.Threads.Length, first + rows)];
        return writer.Lines([new TopTable(columns, isUtf8).Draw(shown, view.Selected - first)], columns);
    }

    private string[] Page(TopView view, int columns) => writer.Lines(view.Page == TopPage.Help ? TopPages.Help() : TopPages.Details(view, columns, isUtf8), columns);

    private static string[] Scroll(string[] page, int scrolled, int room) => page[Math.Min(scrolled, Math.Max(0, page.Length - room))..];

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

    private static Paragraph Keys(TopView view, int columns)
    {
        if (view.IsTyping)
            return Tones.Line(" /", Tone.Strong).Add(ScreenText.Cut(view.Filter + "_   Enter keeps it, Esc shows all", columns - 2));
        string sort = view.Sort switch { TopSort.Cpu => "CPU", TopSort.Wait => "wait", TopSort.Verdict => "verdict", TopSort.Thread => "thread", _ => "process" };
        string text = view.Page == TopPage.Threads
            ? $" q quit  s sort: {sort}  / filter  p pause  Enter details  h help   {view.Selected + 1} of {view.Threads.Length}"
            : " q quit  Esc back  p pause  arrows scroll";
        return Tones.Line(ScreenText.Cut(text, columns), Tone.Faint);
    }
}
