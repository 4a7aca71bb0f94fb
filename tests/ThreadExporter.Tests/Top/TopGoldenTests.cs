using System.Text;
using ThreadExporter.Client;
using ThreadExporter.Tests.Support;
using ThreadExporter.Top;
using ThreadExporter.Web.Pages;

namespace ThreadExporter.Tests.Top;

/// <summary><see cref="TopScreen"/>: whole screens. <c>UPDATE_GOLDEN=1</c> rewrites the files.</summary>
public class TopGoldenTests
{
    // Whatever the kernel allows in a name: control sequences, an override, combining, wide and right-to-left characters, markup.
    private static readonly string[] HostileNames = ["\u001b[2J\u001b]0;x\u0007", "\u202eevil", "z̸a̸l̸", "日本語スレ", "שלום", "[red]bold[/]", "a\tb\nc\rd", "👩‍🔧", ""];

    [Theory]
    [InlineData("threads-80x24.txt", 80, 24, "")]
    [InlineData("threads-200x60.txt", 200, 60, "")]
    [InlineData("threads-40x10.txt", 40, 10, "")]
    [InlineData("details-80x24.txt", 80, 24, "\r")]
    [InlineData("details-200x60.txt", 200, 60, "\r")]
    [InlineData("help-80x24.txt", 80, 24, "h")]
    [InlineData("filter-80x24.txt", 80, 24, "/ceph")]
    public void A_screen_is_the_golden_file(string file, int columns, int rows, string keys)
    {
        TopView view = View(HotSample.Mixed, keys);
        AssertGolden(file, Render(view, columns, rows));
    }

    [Fact]
    public void Hostile_names_break_nothing()
    {
        HotThreadsResponse hostile = HotSample.Of([.. HostileNames.Select((name, i) => HotSample.Thread(i + 1, name, 0.5) with { Process = name, Daemon = name, Filter = name, Reason = name })]);
        TopView view = View(ScreenText.Of(hostile, isUtf8: true));
        foreach ((int columns, int rows) in (ReadOnlySpan<(int, int)>)[(80, 24), (200, 60)])
        {
            string[] lines = Render(view, columns, rows).Split('\n');
            Assert.All(lines, line => Assert.InRange(line.Length, 0, columns));
            Assert.DoesNotContain(string.Concat(lines), c => c is < ' ' or (> '~' and < '\u2580') or > '\u259F');
        }
        AssertGolden("hostile-120x24.txt", Render(view, 120, 24));
    }

    [Fact]
    public void The_names_of_processes_and_neighbours_are_escaped_too()
    {
        HotThreadsResponse sample = HotSample.Of(HotSample.Thread(1, "a", 0.5));
        HotThreadsResponse safe = ScreenText.Of(sample with
        {
            Host = sample.Host! with { Neighbours = [new HotNeighbourResponse(1, "\u001b", 1)] },
            Processes = [sample.Processes[0] with { Name = "\u001b", Exited = [new HotExitResponse("\u001b", 1, 1)] }],
        }, isUtf8: true);
        Assert.DoesNotContain('\u001b', Render(View(safe, "\r"), 200, 60));
    }

    [Theory]
    [InlineData("", "Measuring.")]
    [InlineData("idle", "None of the 1012 watched threads has used CPU in the last minutes.")]
    [InlineData("no match", "Nothing is watched, because no filter matches a process.")]
    [InlineData("no filter", "Nothing is watched, because no filter is configured. Name processes with --filter")]
    [InlineData("filtered", "None of the 5 busiest threads contains \"xyz\". Esc shows all.")]
    public void With_nothing_to_show_it_says_why(string kind, string expected)
    {
        HotThreadsResponse empty = HotSample.Of();
        TopView view = kind switch
        {
            "" => new TopView(),
            "idle" => View(empty),
            "no match" => View(empty with { Watched = new HotWatched(1, 0, 0, true) }),
            "no filter" => View(empty with { Watched = new HotWatched(0, 0, 0, true) }),
            _ => View(HotSample.Mixed, "/xyz\r"),
        };
        Assert.Contains(expected, Render(view, 200, 24), StringComparison.Ordinal);
    }

    [Fact]
    public void A_recorded_moment_is_marked_and_has_its_offset()
    {
        DateTimeOffset at = new(2026, 11, 26, 2, 13, 0, TimeSpan.Zero);
        TopView view = new();
        view.Take(new TopReading(HotSample.Mixed, null) { Recorded = new RecordedMoment(at, at.AddSeconds(-5)) }, DateTimeOffset.UnixEpoch);
        Assert.Contains($"RECORDED {PointInTime.Show(at.ToLocalTime())}, averages of 5.0 s", Render(view, 120, 24), StringComparison.Ordinal);
    }

    [Fact]
    public void An_error_and_a_notice_have_a_line_of_their_own()
    {
        TopView view = View(HotSample.Mixed);
        view.Take(new TopReading(null, "http://host:9199/ does not answer within 5 seconds"), DateTimeOffset.UnixEpoch);
        string[] lines = Render(view, 80, 24, "All processes: no filter.").Split('\n');
        Assert.Equal([" http://host:9199/ does not answer within 5 seconds", " All processes: no filter."], lines[2..4]);
        Assert.Contains("no answer", lines[0], StringComparison.Ordinal);
    }

    [Fact]
    public void The_selected_row_stays_on_the_screen()
    {
        TopView view = View(HotSample.Of([.. Enumerable.Range(1, 200).Select(i => HotSample.Thread(i, $"worker-{i}", 0.5))]));
        for (int i = 0; i < 150; i++)
            view.Press(new TerminalKey(KeyName.Down), 10);
        string screen = Render(view, 80, 24);
        Assert.Contains(">", screen, StringComparison.Ordinal);
        Assert.Matches("(?m)^>.* worker-151 ", screen);
        Assert.Contains("151 of 200", screen, StringComparison.Ordinal);
    }

    [Fact]
    public void Colours_are_left_out_without_changing_a_cell()
    {
        TopView view = View(HotSample.Mixed);
        string Drawn(bool hasColor) => string.Join('\n', new TopScreen("host", null, isUtf8: true, new ScreenWriter(isTerminal: true, hasColor)).Render(view, 80, 24));
        Assert.Contains("\e[33m", Drawn(true), StringComparison.Ordinal);
        Assert.DoesNotMatch(@"\e\[[0-9;]*3[0-7]", Drawn(false));
        Assert.Equal(Plain(Drawn(true)), Plain(Drawn(false)));
    }

    [Fact]
    public void A_batch_has_all_threads_and_cuts_nothing()
    {
        TopView view = View(HotSample.Mixed);
        AssertGolden("batch.txt", string.Join('\n', new TopScreen("host", null, isUtf8: true, new ScreenWriter(isTerminal: false, hasColor: false)).RenderBatch(view)));
    }

    private static string Plain(string drawn) => System.Text.RegularExpressions.Regex.Replace(drawn, @"\e\[[0-9;]*[A-Za-z]", "");

    private static TopView View(HotThreadsResponse response, string keys = "")
    {
        TopView view = new();
        view.Take(new TopReading(response, null), new DateTimeOffset(2026, 11, 27, 14, 3, 22, TimeSpan.FromHours(1)));
        foreach (Rune rune in keys.EnumerateRunes())
            view.Press(rune.Value == '\r' ? new TerminalKey(KeyName.Enter) : new TerminalKey(KeyName.Character, rune), PageRows);
        return view;
    }

    private const int PageRows = 10;

    private static string Render(TopView view, int columns, int rows, string? notice = null)
    {
        string[] lines = new TopScreen("host", notice, isUtf8: true, new ScreenWriter(isTerminal: false, hasColor: false)).Render(view, columns, rows);
        Assert.Equal(rows, lines.Length);
        return string.Join('\n', lines.Select(l => l.TrimEnd()));
    }

    private static void AssertGolden(string file, string text)
    {
        string path = Repository.File($"tests/ThreadExporter.Tests/Top/Golden/{file}");
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, text + "\n", new UTF8Encoding(false));
        Assert.Equal(File.ReadAllText(path), text + "\n");
    }
}
