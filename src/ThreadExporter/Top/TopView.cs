using ThreadExporter.Client;
using ThreadExporter.Web.Pages;

namespace ThreadExporter.Top;

/// <summary>By what the threads are sorted, in the order in which the key <c>s</c> goes through them.</summary>
internal enum TopSort
{
    Cpu,
    Wait,
    Verdict,
    Thread,
    Process,
}

/// <summary>What the screen shows.</summary>
internal enum TopPage
{
    Threads,
    /// <summary>One thread.</summary>
    Details,
    Help,
}

/// <summary>What the person who looks has chosen, and the reading that is shown. Changed by keys and readings only.</summary>
internal sealed class TopView
{
    private const int LongestFilter = 60;

    // The order in which a person would look at them.
    private static readonly string[] Verdicts = ["busy", "throttled", "starved", "blocked", "running", "idle"];

    private (int Pid, int Tid)? _selected;
    private int _place;

    /// <summary>The response that is shown; null: there is none yet.</summary>
    public HotThreadsResponse? Response { get; private set; }

    /// <summary>The recorded moment that it shows; null: it is live.</summary>
    public RecordedMoment? Recorded { get; private set; }

    /// <summary>When it came, in the local time zone.</summary>
    public DateTimeOffset TakenAt { get; private set; }

    /// <summary>Why there is nothing newer; null: there is.</summary>
    public string? Error { get; private set; }

    public TopSort Sort { get; private set; }

    /// <summary>Words that a row must contain; empty: every row is shown.</summary>
    public string Filter { get; private set; } = "";

    /// <summary>The filter is being typed.</summary>
    public bool IsTyping { get; private set; }

    public bool IsPaused { get; private set; }

    public TopPage Page { get; private set; }

    /// <summary>Lines of a page that are above the screen.</summary>
    public int Scrolled { get; private set; }

    /// <summary>The threads that match the filter, sorted.</summary>
    public HotThreadResponse[] Threads { get; private set; } = [];

    /// <summary>The index of the selected thread. Without a choice it is the first, whichever that is.</summary>
    public int Selected => Math.Clamp(_place, 0, Math.Max(0, Threads.Length - 1));

    /// <summary>The thread of the details page; null: it is no longer listed.</summary>
    public HotThreadResponse? Detailed =>
        _selected is { } selected ? Array.Find(Response?.Threads ?? [], t => (t.Pid, t.Tid) == selected) : Threads.ElementAtOrDefault(Selected);

    /// <summary>Shows a reading, unless the view is paused.</summary>
    /// <param name="reading">The reading, with its texts escaped.</param>
    /// <param name="now">The time.</param>
    public void Take(TopReading reading, DateTimeOffset now)
    {
        Error = reading.Error;
        if (reading.Response is null || IsPaused)
            return;
        (Response, Recorded, TakenAt) = (reading.Response, reading.Recorded, now);
        Arrange();
    }

    /// <summary>Does what a key says.</summary>
    /// <param name="key">The key.</param>
    /// <param name="rows">Rows of the table on the screen, for a page up or down.</param>
    /// <returns>False: the program is to end.</returns>
    public bool Press(TerminalKey key, int rows)
    {
        if (IsTyping)
        {
            Type(key);
            return true;
        }
        if (Move(key.Name, Math.Max(1, rows)))
            return true;
        switch (key)
        {
            case { Name: KeyName.Enter } when Page == TopPage.Threads && Threads.Length > 0:
                Open(TopPage.Details);
                // It stays with this thread.
                Select(Selected);
                break;
            case { Name: KeyName.Escape } when Page == TopPage.Threads:
                SetFilter("");
                break;
            case { Name: KeyName.Escape or KeyName.Enter or KeyName.Backspace }:
                Open(TopPage.Threads);
                break;
            case { Name: KeyName.Character }:
                return PressCharacter(key.Character.Value);
        }
        return true;
    }

    private bool PressCharacter(int character)
    {
        switch (character)
        {
            case 'q' or 'Q':
                return false;
            case 's':
                Sort = (TopSort)(((int)Sort + 1) % Enum.GetValues<TopSort>().Length);
                Arrange();
                break;
            case '/':
                Open(TopPage.Threads);
                IsTyping = true;
                break;
            case 'p' or ' ':
                IsPaused = !IsPaused;
                break;
            case 'h' or '?':
                Open(Page == TopPage.Help ? TopPage.Threads : TopPage.Help);
                break;
        }
        return true;
    }

    private void Type(TerminalKey key)
    {
        switch (key.Name)
        {
            case KeyName.Enter:
                IsTyping = false;
                break;
            case KeyName.Escape:
                IsTyping = false;
                SetFilter("");
                break;
            case KeyName.Backspace when Filter.Length > 0:
                SetFilter(Filter[..^(char.IsLowSurrogate(Filter[^1]) ? 2 : 1)]);
                break;
            case KeyName.Character when Filter.Length < LongestFilter:
                SetFilter(Filter + ScreenText.Of(key.Character.ToString(), isUtf8: true));
                break;
        }
    }

    /// <summary>Moves the selection, or scrolls a page. False: not a key for that.</summary>
    private bool Move(KeyName key, int rows)
    {
        int by = key switch
        {
            KeyName.Up => -1,
            KeyName.Down => 1,
            KeyName.PageUp => -rows,
            KeyName.PageDown => rows,
            KeyName.Home => int.MinValue / 2,
            KeyName.End => int.MaxValue / 2,
            _ => 0,
        };
        if (by == 0)
            return false;
        if (Page != TopPage.Threads)
            Scrolled = Math.Clamp(Scrolled + by, 0, 1000);
        else if (key == KeyName.Home)
            (_selected, _place) = (null, 0);
        else if (Threads.Length > 0)
            Select(Math.Clamp(Selected + by, 0, Threads.Length - 1));
        return true;
    }

    private void Select(int place)
    {
        _place = place;
        _selected = (Threads[place].Pid, Threads[place].Tid);
    }

    private void Open(TopPage page) => (Page, Scrolled) = (page, 0);

    private void SetFilter(string filter)
    {
        Filter = filter;
        Arrange();
    }

    private void Arrange()
    {
        string[] words = Filter.ToLowerInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        IEnumerable<HotThreadResponse> matching = (Response?.Threads ?? []).Where(t => Array.TrueForAll(words, word => Contains(t, word)));
        // The response is ordered by CPU use, and a stable sort keeps that order among equals.
        Threads = [.. Sort switch
        {
            TopSort.Wait => matching.OrderByDescending(t => t.WaitRatio ?? 0),
            TopSort.Verdict => matching.OrderBy(t => Array.IndexOf(Verdicts, t.Verdict)),
            TopSort.Thread => matching.OrderBy(t => t.Name, StringComparer.OrdinalIgnoreCase),
            TopSort.Process => matching.OrderBy(t => t.Process, StringComparer.OrdinalIgnoreCase).ThenBy(t => t.Pid),
            _ => matching.OrderByDescending(t => t.CpuSeconds),
        }];
        if (_selected is not { } selected)
            return;
        int place = Array.FindIndex(Threads, t => (t.Pid, t.Tid) == selected);
        // When it is no longer listed, its place stays selected.
        if (place >= 0)
            _place = place;
        else if (Page == TopPage.Threads)
            _selected = null;
    }

    private static bool Contains(HotThreadResponse thread, string word) =>
        FormattableString.Invariant($"{thread.Name}\n{thread.Tid}\n{thread.Process}\n{thread.Pid}\n{thread.Daemon}\n{thread.Filter}\n{thread.Verdict}\n{thread.Role?.Name}")
            .Contains(word, StringComparison.OrdinalIgnoreCase);
}
