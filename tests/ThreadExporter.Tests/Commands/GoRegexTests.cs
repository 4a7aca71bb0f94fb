using ThreadExporter.Commands;

namespace ThreadExporter.Tests.Commands;

/// <summary>Regular expressions of Go as ours.</summary>
public class GoRegexTests
{
    [Theory]
    [InlineData(@"-config.path\s+(?P<Cfgfile>\S+)", @"-config.path\s+(\S+)")]
    [InlineData(@"(?<a>x)(y)(?:z)(?i:w)", @"(x)(y)(?:z)(?i:w)")]
    [InlineData(@"[[:alpha:]_][^[:space:]]]", @"[A-Za-z_][^\t\n\v\f\r ]]")]
    [InlineData(@"[]a[:nonsense:]]", @"[]a[:nonsense:]]")]
    [InlineData(@"[]", "[]")]
    [InlineData(@"\Qa.b\E+\Q[", @"a\.b+\[")]
    [InlineData(@"\pL\PN\p{Lu}", @"\p{L}\P{N}\p{Lu}")]
    [InlineData(@"\x{41}\x41\x{1F600}[\x{41}]", "\\u0041\\x41\U0001F600[\\u0041]")]
    [InlineData(@"\<\>\_\-[\<]", @"<>_\-[<]")]
    [InlineData(@"a{,3}b{2,3}", @"a\{,3}b{2,3}")]
    [InlineData(@"\", @"\")]
    [InlineData(@"(?P<a", @"(?P<a")]
    public void It_is_written_as_our_dialect(string go, string ours) => Assert.Equal(ours, new GoRegex(go).Text);

    [Theory]
    [InlineData(@"(a)(?P<x>b)(?P<y>c)", "x", @"(?:a)(b)(?:c)")]
    [InlineData(@"(?i)((?P<y>\(c))", "y", @"(?i)(?:(\(c))")]
    [InlineData(@"(?P<y>[(])", "y", @"([(])")]
    public void Only_the_wanted_group_captures(string go, string name, string ours)
    {
        GoRegex regex = new(go, name);
        Assert.Equal((ours, true), (regex.Text, regex.HasCapture));
        Assert.False(new GoRegex(go, "none").HasCapture);
    }

    [Theory]
    [InlineData("^a", true)]
    [InlineData(@"(?:x|\Aa)", true)]
    [InlineData(@"[^a]\^[\^]\\A", false)]
    public void Anchors_are_found(string go, bool anchored) => Assert.Equal(anchored, new GoRegex(go).IsAnchored);
}
