using System.Text;
using ThreadExporter.Configuration;

namespace ThreadExporter.Tests.Configuration;

/// <summary>Regular expressions of other dialects are rejected, and valid ones are not.</summary>
public class RegexDialectTests
{
    [Theory]
    // Accepted by .NET with another meaning.
    [InlineData("[[:digit:]]+", 2, "[:digit:] is not supported: write 0-9 instead")]
    [InlineData("x[a[:space:]]", 4, @"write \s instead")]
    [InlineData("[^[:alnum:]_]", 3, "write A-Za-z0-9 instead")]
    [InlineData("[[:^digit:]]", 2, "[:^digit:] is not supported")]
    [InlineData("[[:foo:]]", 2, "[:foo:] is not supported")]
    [InlineData("[:digit:]", 1, "[:digit:] is a set of characters: write [0-9]")]
    [InlineData("[^:alpha:]", 1, "write [A-Za-z]")]
    [InlineData("[[.a.]]", 2, "[.a.] is not supported: write a alone")]
    [InlineData("[[=a=]]", 2, "[=a=] is not supported: write a alone")]
    [InlineData("[a-z-[aeiou]]", 5, @"write \[")]
    [InlineData(@"\[[a-[b]]", 5, "subtracts characters")]
    [InlineData("(?#[)[a-[b]]", 8, "subtracts characters")]
    [InlineData("(?x) # [\n[a-[b]]", 12, "subtracts characters")]
    [InlineData(@"\<osd\>", 1, @"\b")]
    [InlineData("a{,3}", 2, "write {0,3}")]
    // Not accepted by .NET; the message has the right spelling.
    [InlineData("(?P<id>[0-9]+)", 1, "write (?<name>…)")]
    [InlineData("(?P=id)", 1, "group references")]
    [InlineData("(?R)", 1, "recursion")]
    [InlineData("(?1)", 1, "recursion")]
    [InlineData(@"\pL", 1, @"write \p{L}")]
    [InlineData(@"\Qa.b\E", 1, @"\Q…\E")]
    [InlineData(@"[\Q]", 2, @"\Q…\E")]
    [InlineData("a++", 2, "remove the second +")]
    [InlineData("a*+", 2, "possessive")]
    [InlineData(@"\h", 1, @"write [ \t]")]
    [InlineData(@"\R", 1, @"write \r?\n")]
    [InlineData(@"a\x{41}", 2, @"\xHH")]
    public void Another_dialect_is_rejected_with_position_and_hint(string pattern, int character, string hint)
    {
        string error = Assert.Single(Load("cmdline", pattern).Errors).ToString();
        Assert.StartsWith($"x.toml:2:11: filter.cmdline is a regular expression of another dialect: at character {character}, ", error, StringComparison.Ordinal);
        Assert.Contains(hint, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(@"\[[:digit:]]", "[d]")]
    [InlineData(@"^[\[:digit:]$", "[")]
    [InlineData("^[[:]$", ":")]
    [InlineData("^[[.]$", "[")]
    [InlineData("^[]a]$", "]")]
    [InlineData("^[^]a]$", "b")]
    [InlineData(@"^[a\-[]$", "[")]
    [InlineData(@"^[a-c\[]$", "[")]
    [InlineData("^[-[]$", "[")]
    [InlineData(@"^\c[$", "\u001b")]
    [InlineData(@"^\\<a>$", @"\<a>")]
    [InlineData(@"^\\h$", @"\h")]
    [InlineData(@"^a\++$", "a++")]
    [InlineData("^[+]+$", "++")]
    [InlineData("^a+?$", "aa")]
    [InlineData("^x{,a}$", "x{,a}")]
    [InlineData(@"^x\{,3}$", "x{,3}")]
    [InlineData(@"\p{L}", "a")]
    [InlineData(@"\x41\u0041", "AA")]
    [InlineData("(?i)OSD", "osd")]
    [InlineData("(?x) a b # [[:digit:]] (?P<\n", "ab")]
    [InlineData("(?x: a # [[:digit:]]\n)#", "a#")]
    [InlineData("a(?#[[:digit:]])b", "ab")]
    [InlineData("(?<id>a)", "a")]
    [InlineData("(?:a)(?-i:b)", "ab")]
    public void A_valid_expression_is_accepted_and_matches(string pattern, string text)
    {
        ConfigResult result = Load("cmdline", pattern);
        Assert.Empty(result.Errors);
        Assert.Matches(result.Config!.Filters[0].Cmdline!, text);
    }

    [Theory]
    [InlineData("(?<id>a)(b)", 9)]
    [InlineData("(?:x)(?'id'a)((b)c)", 14)]
    public void The_first_group_of_daemon_is_the_first_in_the_text(string pattern, int character)
    {
        string error = Assert.Single(Load("daemon", pattern).Errors).ToString();
        Assert.StartsWith($"x.toml:2:10: filter.daemon is a regular expression of another dialect: at character {character}, unnamed groups are numbered before named ones", error, StringComparison.Ordinal);
        Assert.Empty(Load("cmdline", pattern).Errors);
    }

    [Theory]
    [InlineData("(a)(?<id>b)")]
    [InlineData("(?<id>a)(?:b)")]
    [InlineData("(?<id>a)(?<n>b)")]
    [InlineData(@"(?<id>a)\(b\)[(]")]
    [InlineData("(?n)(?<id>a)(b)")]
    [InlineData("(?n:(?<id>a)(b))")]
    public void Groups_that_all_dialects_number_alike_are_accepted(string pattern) => Assert.Empty(Load("daemon", pattern).Errors);

    private static ConfigResult Load(string key, string pattern) =>
        ConfigLoader.Parse(Encoding.UTF8.GetBytes($"[[filter]]\n{key} = '''{pattern}'''\npid = 1\n"), "x.toml", new ConfigOverrides());
}
