using static ThreadExporter.Procfs.Tests.Fixture;

namespace ThreadExporter.Procfs.Tests;

public class ProcTextTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("plain", "plain")]
    [InlineData("a\nb\0c", "a\nb\0c")]
    [InlineData("\xff", @"\xff")]
    [InlineData("caf\xe9!", @"caf\xe9!")]
    [InlineData("\xc3\xa9", "é")]
    // Incomplete characters, in the middle and at the end.
    [InlineData("\xe2\x82x", @"\xe2\x82x")]
    [InlineData("x\xe2\x82", @"x\xe2\x82")]
    [InlineData("\xf0\x9f\x98\x80", "😀")]
    [InlineData("\xff\xf0\x9f\x98\x80", @"\xff😀")]
    // Overlong, a surrogate, above U+10FFFF.
    [InlineData("\xc0\x80", @"\xc0\x80")]
    [InlineData("\xed\xa0\x80", @"\xed\xa0\x80")]
    [InlineData("\xf4\x90\x80\x80", @"\xf4\x90\x80\x80")]
    // Valid text is unchanged, even a replacement character or text that looks like our escape.
    [InlineData("\xef\xbf\xbd", "\uFFFD")]
    [InlineData(@"\xff", @"\xff")]
    [InlineData("\xef\xbb\xbf" + "a", "\uFEFFa")]
    public void Bytes_that_are_not_UTF8_become_four_characters(string bytes, string text) =>
        Assert.Equal(text, ProcText.Decode(Latin1(bytes)));
}
