using System.Text;
using ThreadExporter.Configuration;
using ThreadExporter.Matching;

namespace ThreadExporter.Tests.Matching;

public class ThreadSelectionTests
{
    [Theory]
    [InlineData("worker-12", "worker-*")]
    [InlineData("pool-3-thread-17", "pool-*-thread-*")]
    [InlineData("0", "*")]
    [InlineData("a1b22c", "a*b*c")]
    [InlineData("none", "none")]
    [InlineData("", "")]
    // Digits of other scripts are part of a name.
    [InlineData("t\u0661", "t\u0661")]
    public void Folding_shows_each_run_of_digits_as_a_star(string name, string shown) =>
        Assert.Equal(shown, new ThreadSelection(new ThreadsConfig { FoldDigits = true }).ShownName(Encoding.UTF8.GetBytes(name)));

    [Fact]
    public void Names_that_look_the_same_are_one_name()
    {
        ThreadSelection choice = new(new ThreadsConfig { Detail = ThreadDetail.Name });
        Assert.Equal("\\xff", choice.ShownName([0xff]));
        Assert.Equal("\\xff", choice.ShownName("\\xff"u8));
    }

    [Theory]
    [InlineData("net-1", true)]
    [InlineData("net-2", false)]
    [InlineData("disk", false)]
    public void Exclude_takes_precedence_over_include_and_both_match_the_digits(string name, bool shown)
    {
        ThreadSelection choice = new(new ThreadsConfig { FoldDigits = true, Include = ["net-?", "log"], Exclude = ["*2"] });
        Assert.Equal(shown, choice.ShownName(Encoding.UTF8.GetBytes(name)) is not null);
    }

    [Fact]
    public void Detail_none_shows_no_thread() => Assert.Null(new ThreadSelection(new ThreadsConfig { Detail = ThreadDetail.None }).ShownName("main"u8));
}
