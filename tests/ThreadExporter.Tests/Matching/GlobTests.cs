using System.Diagnostics;
using FsCheck;
using FsCheck.Fluent;
using ThreadExporter.Matching;

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
    // Half a pair is no character.
    [InlineData("*[!😀]b", "😀b", false)]
    [InlineData("worker-?*", "worker-", false)]
    [InlineData("[abc]", "b", true)]
    [InlineData("[abc]", "d", false)]
    [InlineData("[abc]", "", false)]
    [InlineData("osd.[0-9]", "osd.7", true)]
    [InlineData("osd.[0-9]", "osd.x", false)]
    [InlineData("[a-cx-z]", "y", true)]
    [InlineData("[z-a]", "m", false)]
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
    [InlineData("[abc", "[abc", true)]
    [InlineData("[abc", "a", false)]
    [InlineData("[!]", "[!]", true)]
    [InlineData("a[", "a[", true)]
    [InlineData("\\*", "*", true)]
    [InlineData("\\*", "x", false)]
    [InlineData("a\\?c", "a?c", true)]
    [InlineData("a\\bc", "abc", true)]
    [InlineData("a\\\\b", "a\\b", true)]
    [InlineData("a\\", "a\\", true)]
    [InlineData("((a b ) ( c d) )", "((a b ) ( c d) )", true)]
    public void Table(string pattern, string text, bool expected) => Assert.Equal(expected, new Glob(pattern).Matches(text));

    [Theory]
    [InlineData("ceph-osd", "ceph-osd")]
    [InlineData("", "")]
    [InlineData("a\\*b", "a*b")]
    [InlineData("a[b", "a[b")]
    [InlineData("a\\", "a\\")]
    [InlineData("\\😀", "😀")]
    [InlineData("a*", null)]
    [InlineData("a?", null)]
    [InlineData("[a]", null)]
    public void LiteralText_is_what_a_pattern_without_wildcards_stands_for(string pattern, string? literal)
    {
        var glob = new Glob(pattern);
        Assert.Equal(literal, glob.LiteralText);
        Assert.Equal(literal is not null, glob.IsLiteral);
        Assert.Equal(pattern, glob.ToString());
    }

    [Fact]
    public void Hostile_patterns_take_no_exponential_time()
    {
        var glob = new Glob(string.Concat(Enumerable.Repeat("*a", 100)) + "b");
        var text = new string('a', 4000);
        var watch = Stopwatch.StartNew();
        Assert.False(glob.Matches(text));
        // Pattern × text is 800,000 steps, milliseconds; one exponent more would not end.
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"took {watch.Elapsed}");
    }

    [Fact]
    public void Agrees_with_a_naive_matcher()
    {
        // A small alphabet, so that patterns and texts meet often.
        var pattern = Gen.ArrayOf(Gen.Elements("a", "b", "*", "*", "?", "[ab]", "[!a]", "[a-b]", "\\*", "\\a", "😀")).Select(string.Concat);
        var text = Gen.ArrayOf(Gen.Elements("a", "b", "c", "*", "😀")).Select(string.Concat);
        // Short ones, because the reference is exponential.
        var cases = pattern.Zip(text).Resize(12).ToArbitrary();
        Prop.ForAll(cases, static pair => new Glob(pair.Item1).Matches(pair.Item2) == Naive(pair.Item1, pair.Item2))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(5000));
    }

    [Fact]
    public void Every_text_is_a_pattern_and_matches_itself_when_escaped()
    {
        Prop.ForAll<NonNull<string>>(static value =>
        {
            _ = new Glob(value.Get).Matches(value.Get);
            var escaped = new Glob(string.Concat(value.Get.Select(static c => char.IsSurrogate(c) ? $"{c}" : $"\\{c}")));
            return escaped.IsLiteral && escaped.Matches(value.Get);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
    }

    /// <summary>The definition, by recursion: exponential, but plain.</summary>
    private static bool Naive(string pattern, string text)
    {
        if (pattern.Length == 0)
            return text.Length == 0;
        if (pattern[0] == '*')
            return Naive(pattern[1..], text) || (text.Length > 0 && Naive(pattern, text[1..]));
        if (text.Length == 0)
            return false;
        var first = text.StartsWith("😀", StringComparison.Ordinal) ? 2 : 1;
        var (length, accepts) = pattern switch
        {
            _ when pattern[0] == '?' => (1, true),
            _ when pattern.StartsWith("[ab]", StringComparison.Ordinal) => (4, text[0] is 'a' or 'b'),
            _ when pattern.StartsWith("[a-b]", StringComparison.Ordinal) => (5, text[0] is 'a' or 'b'),
            _ when pattern.StartsWith("[!a]", StringComparison.Ordinal) => (4, text[0] != 'a'),
            _ when pattern[0] == '\\' => (2, text[0] == pattern[1]),
            _ when pattern.StartsWith("😀", StringComparison.Ordinal) => (2, first == 2),
            _ => (1, text[0] == pattern[0]),
        };
        return accepts && Naive(pattern[length..], text[first..]);
    }
}
