using ThreadExporter.Web.Pages;

namespace ThreadExporter.Top;

/// <summary>The table of threads. What does not fit on a narrow screen is left out; a wide one has the history and the reason, too.</summary>
internal sealed class TopTable
{
    private const int LeastHistory = 12, MostHistory = 60, LeastReason = 20;
    private const int Narrow = 70, VeryNarrow = 55;

    private readonly List<Column> _columns = [];

    /// <param name="columns">Cells of the screen.</param>
    /// <param name="isUtf8">False: only ASCII.</param>
    public TopTable(int columns, bool isUtf8)
    {
        // In order of the table; the names get what the numbers leave.
        Column process = new("PROCESS", t => t.Process), thread = new("THREAD", t => t.Name);
        if (columns >= VeryNarrow)
            _columns.Add(new("PID", t => Texts.Number(t.Pid)) { Width = 7, IsRight = true });
        _columns.AddRange(
        [
            process,
            new("TID", t => Texts.Number(t.Tid)) { Width = 7, IsRight = true },
            thread,
            new("CPU%", t => Texts.Tenths(t.CpuRatio)) { Width = 5, IsRight = true, Tone = t => t.CpuRatio >= 0.5 ? Tone.Strong : Tone.Plain },
        ]);
        if (columns >= VeryNarrow)
            _columns.Add(new("WAIT%", t => Texts.Tenths(t.WaitRatio)) { Width = 5, IsRight = true, Tone = t => t.WaitRatio >= 0.1 ? Tone.Warning : Tone.Plain });
        if (columns >= Narrow)
        {
            _columns.Add(new("USR%", t => Texts.Whole(t.UserRatio)) { Width = 4, IsRight = true });
            _columns.Add(new("SYS%", t => Texts.Whole(t.KernelRatio)) { Width = 4, IsRight = true });
        }
        if (columns >= VeryNarrow)
            _columns.Add(new("S", t => t.State) { Width = 1 });
        _columns.Add(new("VERDICT", t => t.Verdict) { Width = 9, Tone = ToneOf });

        int rest = columns - _columns.Sum(c => c.Width + 1);
        (process.Width, thread.Width) = (Math.Max(4, rest * 3 / 7), Math.Max(4, rest - rest * 3 / 7));
        int more = Math.Max(0, rest - 40);
        if (more < LeastHistory + 1)
            return;
        (process.Width, thread.Width) = (18, 22);
        int history = more >= LeastHistory + LeastReason + 2 ? Math.Min(MostHistory, more * 2 / 5) : more - 1;
        _columns.Add(new("HISTORY", t => Texts.Spark(t.History, history, isUtf8)) { Width = history });
        if (more - history - 2 >= LeastReason)
            _columns.Add(new("REASON", t => t.Reason.Length > 0 ? t.Reason : t.Role?.Name ?? "") { Width = more - history - 2 });
    }

    /// <summary>For a pipe or a file: every column that is text, as wide as its contents.</summary>
    /// <param name="threads">The rows.</param>
    public TopTable(HotThreadResponse[] threads)
    {
        _columns.AddRange(new TopTable(Narrow, isUtf8: false)._columns);
        _columns.Add(new("REASON", t => t.Reason));
        foreach (Column column in _columns.Where(c => c.Head is "PROCESS" or "THREAD" or "REASON"))
            column.Width = threads.Select(t => ScreenText.WidthOf(column.Text(t))).Append(column.Head.Length).Max();
    }

    public ScreenLine Head()
    {
        ScreenLine line = ScreenLine.Of(" ", Tone.Head);
        for (int i = 0; i < _columns.Count; i++)
            line.Add((i == 0 ? "" : " ") + ScreenText.Fit(_columns[i].Head, _columns[i].Width, _columns[i].IsRight), Tone.Head);
        return line;
    }

    public ScreenLine Row(HotThreadResponse thread, bool isSelected)
    {
        bool isFaint = thread is { CpuRatio: < 0.01, Verdict: "running" or "idle" };
        ScreenLine line = new() { IsSelected = isSelected };
        // Also where reverse text is not shown.
        line.Add(isSelected ? ">" : " ");
        for (int i = 0; i < _columns.Count; i++)
        {
            Column column = _columns[i];
            line.Add((i == 0 ? "" : " ") + ScreenText.Fit(column.Text(thread), column.Width, column.IsRight), isFaint ? Tone.Faint : column.Tone(thread));
        }
        return line;
    }

    /// <summary>The tone of a verdict.</summary>
    public static Tone ToneOf(HotThreadResponse thread) => thread.Verdict switch
    {
        "busy" => Tone.Alarm,
        "throttled" or "starved" or "blocked" => Tone.Warning,
        _ => Tone.Plain,
    };

    private sealed class Column(string head, Func<HotThreadResponse, string> text)
    {
        public string Head => head;

        public Func<HotThreadResponse, string> Text => text;

        /// <summary>In cells.</summary>
        public int Width { get; set; }

        public bool IsRight { get; init; }

        public Func<HotThreadResponse, Tone> Tone { get; init; } = _ => Top.Tone.Plain;
    }
}
