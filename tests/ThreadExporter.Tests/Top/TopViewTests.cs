using System.Text;
using ThreadExporter.Tests.Support;
using ThreadExporter.Top;
using ThreadExporter.Web.Pages;

namespace ThreadExporter.Tests.Top;

/// <summary><see cref="TopView"/>: what keys and readings do.</summary>
public class TopViewTests
{
    private readonly TopView _view = new();

    public TopViewTests() => Take(HotSample.Mixed);

    [Fact]
    public void S_goes_through_the_orders()
    {
        Assert.Equal([4742, 5011, 4744, 4745, 4746], Tids);
        Type("s");
        Assert.Equal([5011, 4744, 4742, 4745, 4746], Tids);
        Type("s");
        Assert.Equal([4742, 5011, 4744, 4746, 4745], Tids);
        Type("s");
        Assert.Equal(["bstore_kv_sync", "connection", "jfs_commit", "msgr-worker-0", "tp_osd_tp"], _view.Threads.Select(t => t.Name));
        Type("s");
        Assert.Equal(["ceph-osd", "ceph-osd", "ceph-osd", "ceph-osd", "mariadbd"], _view.Threads.Select(t => t.Process));
        Type("s");
        Assert.Equal(TopSort.Cpu, _view.Sort);
    }

    [Theory]
    [InlineData("MSGR", new[] { 4745 })]
    [InlineData("ceph 474 starved", new[] { 4744 })]
    [InlineData("5001", new[] { 5011 })]
    [InlineData("clients", new[] { 4742 })]
    [InlineData("nothing", new int[0])]
    public void The_filter_is_made_of_words_that_a_row_contains(string typed, int[] tids)
    {
        Type("/" + typed);
        Assert.True(_view.IsTyping);
        Assert.Equal(tids, Tids);
        Press(KeyName.Enter);
        Assert.False(_view.IsTyping);
        Assert.Equal(tids, Tids);
        // Also for what comes later.
        Take(HotSample.Mixed);
        Assert.Equal(tids, Tids);
        Press(KeyName.Escape);
        Assert.Equal(5, _view.Threads.Length);
    }

    [Fact]
    public void While_the_filter_is_typed_keys_are_text()
    {
        Type("/qsp");
        Press(KeyName.Backspace);
        Assert.Equal("qs", _view.Filter);
        Assert.False(_view.IsPaused);
        Type("\u202e");
        Assert.Equal("qs\\u202E", _view.Filter);
        Press(KeyName.Escape);
        Assert.Equal("", _view.Filter);
    }

    [Fact]
    public void Q_ends_it()
    {
        Assert.False(_view.Press(Character('q'), 10));
        Press(KeyName.Enter);
        Assert.False(_view.Press(Character('q'), 10));
    }

    [Fact]
    public void Without_a_choice_the_first_row_is_selected_whichever_it_is()
    {
        Assert.Equal(0, _view.Selected);
        Take(Reordered);
        Assert.Equal(0, _view.Selected);
        Assert.Equal(4746, _view.Threads[0].Tid);
    }

    [Fact]
    public void A_selected_thread_is_followed_until_it_is_gone()
    {
        Press(KeyName.Down);
        Assert.Equal(5011, _view.Threads[_view.Selected].Tid);
        Take(Reordered);
        Assert.Equal(5011, _view.Threads[_view.Selected].Tid);
        Assert.Equal(4, _view.Selected);
        Take(HotSample.Of(HotSample.Thread(1, "a", 0.5), HotSample.Thread(2, "b", 0.4)));
        Assert.Equal(1, _view.Selected);
    }

    [Fact]
    public void The_selection_stays_inside_the_table()
    {
        Press(KeyName.Up);
        Assert.Equal(0, _view.Selected);
        Press(KeyName.PageDown);
        Assert.Equal(4, _view.Selected);
        Press(KeyName.Down);
        Assert.Equal(4, _view.Selected);
        Press(KeyName.Home);
        Assert.Equal(0, _view.Selected);
        Press(KeyName.End);
        Assert.Equal(4, _view.Selected);
        Take(HotSample.Of());
        Press(KeyName.Down);
        Press(KeyName.Enter);
        Assert.Equal((0, TopPage.Threads), (_view.Selected, _view.Page));
    }

    [Fact]
    public void Enter_shows_one_thread_also_when_its_place_changes()
    {
        Press(KeyName.Down);
        Press(KeyName.Enter);
        Assert.Equal((TopPage.Details, 5011), (_view.Page, _view.Detailed!.Tid));
        Take(Reordered);
        Assert.Equal(5011, _view.Detailed!.Tid);
        Take(HotSample.Of(HotSample.Thread(1, "a", 0.5)));
        Assert.Null(_view.Detailed);
        Press(KeyName.Escape);
        Assert.Equal(TopPage.Threads, _view.Page);
    }

    [Fact]
    public void While_it_is_paused_nothing_changes()
    {
        Type("p");
        Take(HotSample.Of());
        Assert.Equal(5, _view.Threads.Length);
        Type(" ");
        Take(HotSample.Of());
        Assert.Empty(_view.Threads);
    }

    [Fact]
    public void An_error_leaves_the_last_figures()
    {
        _view.Take(new TopReading(null, "no answer"), DateTimeOffset.UnixEpoch);
        Assert.Equal(("no answer", 5), (_view.Error, _view.Threads.Length));
        Take(HotSample.Mixed);
        Assert.Null(_view.Error);
    }

    [Fact]
    public void H_shows_the_help_and_hides_it_again()
    {
        Type("h");
        Assert.Equal(TopPage.Help, _view.Page);
        Type("?");
        Assert.Equal(TopPage.Threads, _view.Page);
    }

    /// <summary>The busiest threads are the last now.</summary>
    private static HotThreadsResponse Reordered => HotSample.Mixed with { Threads = [.. HotSample.Mixed.Threads.Select(t => t with { CpuSeconds = t.Tid == 5011 ? -99 : -t.CpuSeconds })] };

    private int[] Tids => [.. _view.Threads.Select(t => t.Tid)];

    private void Take(HotThreadsResponse response) => _view.Take(new TopReading(response, null), DateTimeOffset.UnixEpoch);

    private void Type(string text)
    {
        foreach (Rune rune in text.EnumerateRunes())
            Assert.True(_view.Press(new TerminalKey(KeyName.Character, rune), 10));
    }

    private void Press(KeyName key) => Assert.True(_view.Press(new TerminalKey(key), 10));

    private static TerminalKey Character(char character) => new(KeyName.Character, new Rune(character));
}
