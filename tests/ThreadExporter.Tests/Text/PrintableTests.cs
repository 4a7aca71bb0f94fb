using System.Globalization;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using ThreadExporter.Text;

namespace ThreadExporter.Tests.Text;

public class PrintableTests
{
    [Theory]
    [InlineData("ceph-osd", "ceph-osd")]
    [InlineData("größer 日本 🙂 שלום e\u0301", "größer 日本 🙂 שלום e\u0301")]
    [InlineData("a\n\tb\u001b[2J\u0000\u007f\u0085", "a\\u000A\\u0009b\\u001B[2J\\u0000\\u007F\\u0085")]
    // Bidirectional: embeddings and overrides, isolates, marks.
    [InlineData("\u202a\u202b\u202c\u202d\u202e", "\\u202A\\u202B\\u202C\\u202D\\u202E")]
    [InlineData("\u2066\u2067\u2068\u2069", "\\u2066\\u2067\\u2068\\u2069")]
    [InlineData("\u200e\u200f\u061c", "\\u200E\\u200F\\u061C")]
    // Zero-width, or without a shape.
    [InlineData("\u200b\u200c\u200d\u2060\ufeff\u00ad", "\\u200B\\u200C\\u200D\\u2060\\uFEFF\\u00AD")]
    [InlineData("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0", "\\u034F\\u115F\\u1160\\u17B4\\u17B5\\u3164\\uFFA0")]
    [InlineData("\u2028\u2029", "\\u2028\\u2029")]
    // A tag character is a pair; private use; unassigned.
    [InlineData("\U000E0001\ue000\U0010FFFD\u0378", "\\uDB40\\uDC01\\uE000\\uDBFF\\uDFFD\\u0378")]
    [InlineData("a \"b\" \\c", "a \"b\" \\c")]
    public void A_character_that_is_not_visible_as_itself_is_escaped(string text, string shown) => Assert.Equal(shown, Printable.Of(text));

    // Not data of the test above: the runner cannot pass a lone surrogate.
    [Fact]
    public void A_lone_surrogate_is_escaped() => Assert.Equal("\\uD83Da\\uDE00", Printable.Of("\ud83da\ude00"));

    [Fact]
    public void Lines_keeps_newlines_and_tabs_only() => Assert.Equal("a\n\tb\\u000D\\u202E", Printable.Lines("a\n\tb\r\u202e"));

    [Theory]
    [InlineData("x", "\"x\"")]
    [InlineData("a\nb\u001b[2J", "\"a\\u000Ab\\u001B[2J\"")]
    [InlineData("\u202eé🙂", "\"\\u202Eé🙂\"")]
    [InlineData("a\"b\\c", "\"a\\\"b\\\\c\"")]
    public void Quoted_text_stays_on_its_line(string text, string quoted) => Assert.Equal(quoted, Printable.Quote(text));

    [Fact]
    public void Quoted_text_is_cut()
    {
        Assert.Equal('"' + new string('x', 100) + "…\"", Printable.Quote(new string('x', 1_000_000)));
        Assert.Equal('"' + new string('x', 99) + "…\"", Printable.Quote(new string('x', 99) + "🙂🙂"));
    }

    [Fact]
    public void Escaped_text_is_visible_does_not_change_when_escaped_again_and_is_read_back_by_json() =>
        Prop.ForAll<string>(text =>
        {
            string given = (text ?? "") + "\u202e\u001b\U000E0001";
            string shown = Printable.Of(given);
            Assert.DoesNotContain(shown, c => char.IsControl(c) || char.GetUnicodeCategory(c) is UnicodeCategory.Format or UnicodeCategory.LineSeparator);
            Assert.Equal(shown, Printable.Of(shown));
            if (!given.Any(char.IsSurrogate))
                Assert.Equal(given, JsonSerializer.Deserialize<string>(Printable.Quote(given[..Math.Min(given.Length, 100)])));
        }).QuickCheckThrowOnFailure();
}
