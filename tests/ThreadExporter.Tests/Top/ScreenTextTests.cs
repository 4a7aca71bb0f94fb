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
    [InlineData("日本", "日本")]
    public void Names_are_escaped(string name, string expected) => Assert.Equal(expected, ScreenText.Of(name, isUtf8: true));

    [Theory]
    [InlineData("grüße", "gr\\u00FC\\u00DFe")]
    [InlineData("😀", "\\uD83D\\uDE00")]
    public void Without_utf8_all_but_ascii_is_escaped(string name, string expected) => Assert.Equal(expected, ScreenText.Of(name, isUtf8: false));

    [Theory]
    [InlineData("abc", 3)]
    [InlineData("grüße", 5)]
    [InlineData("日本", 4)]
    [InlineData("a😀", 3)]
    public void Widths_are_counted_in_cells(string text, int width) => Assert.Equal(width, ScreenText.WidthOf(text));

    [Theory]
    [InlineData("abcdef", 6, "abcdef")]
    [InlineData("abcdef", 5, "abcd~")]
    [InlineData("abcdef", 1, "~")]
    [InlineData("abcdef", 0, "")]
    // Half of a wide character is left out.
    [InlineData("日本語", 4, "日~")]
    [InlineData("日本語", 5, "日本~")]
    [InlineData("😀😀", 3, "😀~")]
    public void A_text_is_cut_between_characters(string text, int width, string expected)
    {
        Assert.Equal(expected, ScreenText.Cut(text, width));
        Assert.Equal(width, ScreenText.WidthOf(ScreenText.Fit(text, width)));
    }

    [Fact]
    public void A_number_is_moved_to_the_right() => Assert.Equal("   42", ScreenText.Fit("42", 5, isRight: true));

    [Fact]
    public void Long_texts_are_wrapped_at_blanks() =>
        Assert.Equal(["one two", "three", "abcdefg~"], ScreenText.Wrap("one two three abcdefghijk", 8));
}
