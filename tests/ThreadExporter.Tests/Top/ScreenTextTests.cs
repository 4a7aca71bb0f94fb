using Spectre.Console.Rendering;
using ThreadExporter.Top;

namespace ThreadExporter.Tests.Top;

/// <summary><see cref="ScreenText"/>: untrusted names must neither control the terminal nor move what stands beside them.</summary>
public class ScreenTextTests
{
    [Theory]
    [InlineData("tp_osd_tp", "tp_osd_tp")]
    [InlineData("\u001b[2J\u0007", "\\u001B[2J\\u0007")]
    [InlineData("\u009b31m", "\\u009B31m")]
    [InlineData("[red]x[/]", "[red]x[/]")]
    [InlineData("a\u202eb\u200d", "a\\u202Eb\\u200D")]
    [InlineData("e\u0301", "e\\u0301")]
    [InlineData("שלום", "\\u05E9\\u05DC\\u05D5\\u05DD")]
    [InlineData("grüße", "grüße")]
    [InlineData("поток", "поток")]
    [InlineData("日本", "\\u65E5\\u672C")]
    [InlineData("😀", "\\uD83D\\uDE00")]
    public void Names_are_escaped(string name, string expected) => Assert.Equal(expected, ScreenText.Of(name, isUtf8: true));

    [Theory]
    [InlineData("grüße", "gr\\u00FC\\u00DFe")]
    [InlineData("😀", "\\uD83D\\uDE00")]
    public void Without_utf8_all_but_ascii_is_escaped(string name, string expected) => Assert.Equal(expected, ScreenText.Of(name, isUtf8: false));

    [Theory]
    [InlineData("abcdef", 6, "abcdef")]
    [InlineData("abcdef", 5, "abcd~")]
    [InlineData("abcdef", 1, "~")]
    [InlineData("abcdef", 0, "")]
    public void A_text_is_cut_and_the_cut_is_marked(string text, int width, string expected)
    {
        Assert.Equal(expected, ScreenText.Cut(text, width));
        Assert.Equal(width, ScreenText.Fit(text, width).Length);
    }

    [Fact]
    public void A_number_is_moved_to_the_right() => Assert.Equal("   42", ScreenText.Fit("42", 5, isRight: true));

    /// <summary>So a text has as many cells as characters.</summary>
    [Fact]
    public void What_is_not_escaped_takes_one_cell()
    {
        for (int value = 0; value <= char.MaxValue; value++)
        {
            string shown = ScreenText.Of($"{(char)value}", isUtf8: true);
            Assert.True(shown.Length == 6 || new Segment(shown).CellCount() == 1, $"{value:X4}");
        }
    }
}
