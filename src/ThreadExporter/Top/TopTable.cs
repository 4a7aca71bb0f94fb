using Spectre.Console;
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
            column.Width = threads.Select(t => column.Text(t).Length).Append(column.Head.Length).Max();
    }

    /// <summary>The table.</summary>
    /// <param name="threads">The rows.</param>
    /// <param name="selected">The index of the one that is shown in reverse; -1: none.</param>
    public Table Draw(IReadOnlyList<HotThreadResponse> threads, int selected)
    {
        Table table = new() { Border = TableBorder.None };
        for (int i = 0; i < _columns.Count; i++)
            table.AddColumn(new TableColumn(Cell(i, _columns[i].Head, Tone.Head, isSelected: false)) { Width = _columns[i].Width + 1, NoWrap = true, Padding = new Padding(0) });
        for (int row = 0; row < threads.Count; row++)
        {
            HotThreadResponse thread = threads[row];
            bool isFaint = thread is { CpuRatio: < 0.01, Verdict: "running" or "idle" };
            bool isSelected = row == selected;
            table.AddRow(_columns.Select((c, i) => Cell(i, c.Text(thread), isFaint ? Tone.Faint : c.Tone(thread), isSelected)));
        }
        return table;
    }

    // The blank is part of the cell, so that the whole row is shown in reverse. The mark is for terminals that cannot do that.
    private Paragraph Cell(int column, string text, Tone tone, bool isSelected) => Tones.Cell(
        (column == 0 && isSelected ? ">" : " ") + ScreenText.Fit(text, _columns[column].Width, _columns[column].IsRight), tone, isSelected);

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
