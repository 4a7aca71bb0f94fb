using System.Diagnostics;
using FsCheck;
using FsCheck.Fluent;
using ThreadExporter.Matching;
using ThreadExporter.Text;

namespace ThreadExporter.Tests.Matching;

public sealed class GlobTests
{
    [Theory]
    [InlineData("", "", true)]
    [InlineData("", "a", false)]
    [InlineData("abc", "abc", true)]
    [InlineData("abc", "abcd", false)]
    [InlineData("abc", "xabc", false)]
    [InlineData("abc", "ABC", false)]
    [InlineData("*", "", true)]
    [InlineData("*", "anything / at\nall", true)]
    [InlineData("ceph-*", "ceph-osd", true)]
    [InlineData("ceph-*", "ceph-", true)]
    [InlineData("ceph-*", "xceph-osd", false)]
    [InlineData("*-osd", "ceph-osd", true)]
    [InlineData("*-osd", "ceph-osd2", false)]
    [InlineData("a*b*c", "aXbYbZc", true)]
    [InlineData("a*b*c", "acb", false)]
    [InlineData("*a", "aaa", true)]
    [InlineData("a**b", "ab", true)]
    [InlineData("/usr/*", "/usr/lib/x/y", true)]
    [InlineData("?", "a", true)]
    [InlineData("?", "", false)]
    [InlineData("?", "ab", false)]
    [InlineData("?", "😀", true)]
    [InlineData("??", "😀", false)]
    [InlineData("*?😀", "a😀😀", true)]
    [InlineData("[a-😀]", "ü", true)]
    // A lone surrogate is not part of another character.
    [InlineData("*[!😀]b", "😀b", false)]
    [InlineData("worker-?*", "worker-", false)]
    [InlineData("[abc]", "b", true)]
    [InlineData("[abc]", "d", false)]
    [InlineData("[abc]", "", false)]
    [InlineData("osd.[0-9]", "osd.7", true)]
    [InlineData("osd.[0-9]", "osd.x", false)]
    [InlineData("[a-cx-z]", "y", true)]
    [InlineData("[^0-9]", "x", true)]
    [InlineData("[^0-9]", "5", false)]
    [InlineData("[^a]leep", "sleep", true)]
    [InlineData("[^]a]", "]", false)]
    [InlineData("[^]a]", "b", true)]
    [InlineData("[^^]", "^", false)]
    [InlineData("[\\^a]", "b", false)]
    [InlineData("[\\!a]", "!", true)]
    [InlineData("osd.[[:digit:]]", "osd.7", true)]
    [InlineData("osd.[[:digit:]]", "osd.d", false)]
    [InlineData("osd.[[:digit:]]", "osd.\u0663", false)]
    [InlineData("[![:digit:]]", "7", false)]
    [InlineData("[^[:digit:]]", "x", true)]
    [InlineData("[[:alpha:]_0]", "_", true)]
    [InlineData("[x[:upper:][:digit:]-]", "-", true)]
    [InlineData("[x[:upper:][:digit:]-]", "Q", true)]
    [InlineData("[x[:upper:][:digit:]-]", "q", false)]
    [InlineData("[[:alpha:]]", "é", false)]
    [InlineData("[\\[:digit:]", "[", true)]
    [InlineData("[[a]", "[", true)]
    [InlineData("[:,;:]", ";", true)]
    [InlineData("[--0]", ".", true)]
    [InlineData("a{b", "a{b", true)]
    [InlineData("{}", "{}", true)]
    [InlineData("{a}", "{a}", true)]
    [InlineData("\\{a,b}", "{a,b}", true)]
    [InlineData("{a\\,b}", "{a,b}", true)]
    [InlineData("[{]a,b}", "{a,b}", true)]
    [InlineData("{...}", "{...}", true)]
    [InlineData("\\!a", "!a", true)]
    [InlineData("a!^", "a!^", true)]
    [InlineData("[!0-9]", "x", true)]
    [InlineData("[!0-9]", "5", false)]
    [InlineData("[!0-9]", "", false)]
    [InlineData("[]a]", "]", true)]
    [InlineData("[!]a]", "]", false)]
    [InlineData("[!]a]", "b", true)]
    [InlineData("[a-]", "-", true)]
    [InlineData("[-a]", "-", true)]
    [InlineData("[a\\-z]", "m", false)]
    [InlineData("[a\\-z]", "-", true)]
    [InlineData("[\\]]", "]", true)]
    [InlineData("[*?]", "*", true)]
    [InlineData("[*?]", "x", false)]
    [InlineData("[a^]", "^", true)]
    [InlineData("\\[abc", "[abc", true)]
    [InlineData("\\*", "*", true)]
    [InlineData("\\*", "x", false)]
    [InlineData("a\\?c", "a?c", true)]
    [InlineData("a\\bc", "abc", true)]
    [InlineData("a\\\\b", "a\\b", true)]
    [InlineData("a\\", "a\\", true)]
    [InlineData("((a b ) ( c d) )", "((a b ) ( c d) )", true)]
    public void Table(string pattern, string text, bool expected) => Assert.Equal(expected, new Glob(pattern).Matches(text));

    [Theory]
    [InlineData("[abc", 1, "unclosed [")]
    [InlineData("[!]", 1, "unclosed [")]
    [InlineData("[^]", 1, "unclosed [")]
    [InlineData("[]", 1, "unclosed [")]
    [InlineData("a[", 2, "unclosed [")]
    [InlineData("a[b\\]", 2, "unclosed [")]
    [InlineData("x[ab[:digit:]", 2, "unclosed [")]
    [InlineData("[az-a]", 3, "the range z-a is reversed")]
    [InlineData("[[:foo:]]", 2, "[:foo:] is unknown: must be one of alnum, ")]
    [InlineData("[[:DIGIT:]]", 2, "[:DIGIT:] is unknown")]
    [InlineData("[[:^digit:]]", 2, "[:^digit:] is unknown")]
    [InlineData("[[:digit]", 2, "unclosed [:")]
    [InlineData("[:digit:]", 1, "write [[:digit:]]")]
    [InlineData("a[!:digit:]", 2, "write [[!:digit:]]")]
    [InlineData("[a[.x.]]", 3, "[.x.] and [=x=] are not supported")]
    [InlineData("[[=x=]]", 2, "[.x.] and [=x=] are not supported")]
    [InlineData("[[:digit:]-z]", 2, "a range starts with a class")]
    [InlineData("[a-[:digit:]]", 2, "a range ends in a class")]
    [InlineData("ceph-{osd,mon}", 6, "braces are not expanded")]
    [InlineData("{a,{b}}", 1, "braces are not expanded")]
    [InlineData("osd{1..9}", 4, "braces are not expanded")]
    [InlineData("!a", 1, "does not negate")]
    [InlineData("^a", 1, "is not needed")]
    public void Syntax_that_would_silently_mean_something_else_is_rejected(string pattern, int character, string what)
    {
        string error = Assert.Throws<FormatException>(() => new Glob(pattern)).Message;
        Assert.StartsWith($"{Printable.Quote(pattern)} is not a valid glob: at character {character}, ", error, StringComparison.Ordinal);
        Assert.Contains(what, error, StringComparison.Ordinal);
        Assert.Equal(error, GlobParser.GetError(pattern));
    }

    /// <summary>Compared with the definitions of the "C" locale, by functions of the runtime.</summary>
    [Fact]
    public void The_twelve_classes_are_those_of_ASCII()
    {
        Dictionary<string, Func<char, bool>> classes = new()
        {
            ["alnum"] = char.IsAsciiLetterOrDigit,
            ["alpha"] = char.IsAsciiLetter,
            ["blank"] = c => c is ' ' or '\t',
            ["cntrl"] = c => c < 128 && char.IsControl(c),
            ["digit"] = char.IsAsciiDigit,
            ["graph"] = c => c < 128 && !char.IsControl(c) && c != ' ',
            ["lower"] = char.IsAsciiLetterLower,
            ["print"] = c => c < 128 && !char.IsControl(c),
            ["punct"] = c => c < 128 && (char.IsPunctuation(c) || char.IsSymbol(c)),
            ["space"] = c => c < 128 && char.IsWhiteSpace(c),
            ["upper"] = char.IsAsciiLetterUpper,
            ["xdigit"] = char.IsAsciiHexDigit,
        };
        foreach ((string name, Func<char, bool> isIn) in classes)
        {
            Glob glob = new($"[[:{name}:]]");
            for (char c = '\0'; c < 0x250; c++)
                Assert.True(isIn(c) == glob.Matches([c]), $"{name} U+{(int)c:X4}");
        }
    }

    [Theory]
    [InlineData("ceph-osd", "ceph-osd")]
    [InlineData("", "")]
    [InlineData("a\\*b", "a*b")]
    [InlineData("a\\[b", "a[b")]
    [InlineData("a\\", "a\\")]
    [InlineData("\\😀", "😀")]
    [InlineData("a*", null)]
    [InlineData("a?", null)]
    [InlineData("[a]", null)]
    public void LiteralText_is_the_text_of_a_pattern_without_wildcards(string pattern, string? literal)
    {
        Glob glob = new(pattern);
        Assert.Equal(literal, glob.LiteralText);
        Assert.Equal(pattern, glob.ToString());
    }

    [Fact]
    public void Hostile_patterns_take_no_exponential_time()
    {
        Glob glob = new(string.Concat(Enumerable.Repeat("*a", 100)) + "b");
        string text = new('a', 4000);
        Stopwatch watch = Stopwatch.StartNew();
        Assert.False(glob.Matches(text));
        // Pattern × text is 800,000 steps, which take milliseconds; exponential time would not finish.
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"took {watch.Elapsed}");
    }

    [Fact]
    public void Agrees_with_a_naive_matcher()
    {
        // A small alphabet, so that patterns often match texts.
        Gen<string> pattern = Gen.ArrayOf(Gen.Elements("a", "b", "*", "*", "?", "[ab]", "[!a]", "[a-b]", "[^a]", "[![:digit:]a]", "[[:alpha:]]", "\\*", "\\a", "😀")).Select(string.Concat);
        Gen<string> text = Gen.ArrayOf(Gen.Elements("a", "b", "c", "*", "😀")).Select(string.Concat);
        // Short ones, because the reference is exponential.
        Arbitrary<(string, string)> cases = pattern.Zip(text).Resize(12).ToArbitrary();
        Prop.ForAll(cases, static pair => new Glob(pair.Item1).Matches(pair.Item2) == Naive(pair.Item1, pair.Item2))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(5000));
    }

    [Fact]
    public void Every_text_is_a_pattern_or_an_error_and_matches_itself_when_escaped()
    {
        Prop.ForAll<NonNull<string>>(static value =>
        {
            if (GlobParser.GetError(value.Get) is null)
                _ = new Glob(value.Get).Matches(value.Get);
            Glob escaped = new(string.Concat(value.Get.Select(static c => char.IsSurrogate(c) ? $"{c}" : $"\\{c}")));
            return escaped.LiteralText is not null && escaped.Matches(value.Get);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
    }

    /// <summary>The definition, by recursion: exponential, but simple.</summary>
    private static bool Naive(string pattern, string text)
    {
        if (pattern.Length == 0)
            return text.Length == 0;
        if (pattern[0] == '*')
            return Naive(pattern[1..], text) || (text.Length > 0 && Naive(pattern, text[1..]));
        if (text.Length == 0)
            return false;
        int first = text.StartsWith("😀", StringComparison.Ordinal) ? 2 : 1;
        (int length, bool accepts) = pattern switch
        {
            _ when pattern[0] == '?' => (1, true),
            _ when pattern.StartsWith("[ab]", StringComparison.Ordinal) => (4, text[0] is 'a' or 'b'),
            _ when pattern.StartsWith("[a-b]", StringComparison.Ordinal) => (5, text[0] is 'a' or 'b'),
            _ when pattern.StartsWith("[!a]", StringComparison.Ordinal) => (4, text[0] != 'a'),
            _ when pattern.StartsWith("[^a]", StringComparison.Ordinal) => (4, text[0] != 'a'),
            _ when pattern.StartsWith("[![:digit:]a]", StringComparison.Ordinal) => (13, text[0] != 'a'),
            _ when pattern.StartsWith("[[:alpha:]]", StringComparison.Ordinal) => (11, text[0] is 'a' or 'b' or 'c'),
            _ when pattern[0] == '\\' => (2, text[0] == pattern[1]),
            _ when pattern.StartsWith("😀", StringComparison.Ordinal) => (2, first == 2),
            _ => (1, text[0] == pattern[0]),
        };
        return accepts && Naive(pattern[length..], text[first..]);
    }
}
