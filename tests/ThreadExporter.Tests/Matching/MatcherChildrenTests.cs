using System.Text.RegularExpressions;
using ThreadExporter.Configuration;
using ThreadExporter.Matching;

namespace ThreadExporter.Tests.Matching;

public sealed class MatcherChildrenTests
{
    private static MatchResult Match(Matcher matcher, string comm, FilterSet inherited, string? cmdline = "x")
    {
        using FakeProcess process = new(comm: comm, cmdline: cmdline);
        return matcher.Match(process.Info, inherited);
    }

    [Fact]
    public void Children_and_grandchildren_belong_to_the_filter()
    {
        Matcher matcher = Matcher.Compile([new FilterConfig { Name = "shell", Comm = ["bash"], Children = true }]);
        MatchResult init = Match(matcher, "systemd", FilterSet.Empty);
        Assert.Null(init.Filter);
        Assert.True(init.ToChildren.IsEmpty);
        MatchResult shell = Match(matcher, "bash", init.ToChildren);
        Assert.Equal("shell", shell.Filter?.Name);
        MatchResult make = Match(matcher, "make", shell.ToChildren);
        Assert.Equal("shell", make.Filter?.Name);
        MatchResult compiler = Match(matcher, "cc1plus", make.ToChildren);
        Assert.Equal("shell", compiler.Filter?.Name);
        // A sibling of the shell inherits from init only.
        Assert.Null(Match(matcher, "make", init.ToChildren).Filter);
    }

    [Fact]
    public void Without_the_key_children_do_not_follow()
    {
        Matcher matcher = Matcher.Compile([new FilterConfig { Name = "shell", Comm = ["bash"] }]);
        MatchResult shell = Match(matcher, "bash", FilterSet.Empty);
        Assert.Equal("shell", shell.Filter?.Name);
        Assert.Null(Match(matcher, "make", shell.ToChildren).Filter);
    }

    [Fact]
    public void An_earlier_filter_that_matches_owns_the_child()
    {
        Matcher matcher = Matcher.Compile([
            new FilterConfig { Name = "compiler", Comm = ["cc1*"] },
            new FilterConfig { Name = "shell", Comm = ["bash"], Children = true },
            new FilterConfig { Name = "all", Comm = ["*"] }]);
        MatchResult shell = Match(matcher, "bash", FilterSet.Empty);
        MatchResult compiler = Match(matcher, "cc1plus", shell.ToChildren);
        Assert.Equal("compiler", compiler.Filter?.Name);
        // What the compiler starts is also a descendant of the shell, and no later filter owns it.
        Assert.Equal("shell", Match(matcher, "as", compiler.ToChildren).Filter?.Name);
    }

    [Fact]
    public void Children_inherit_a_filter_that_their_parent_matches_even_if_another_owns_the_parent()
    {
        Matcher matcher = Matcher.Compile([
            new FilterConfig { Name = "first", Comm = ["bash"] },
            new FilterConfig { Name = "tree", Comm = ["b*"], Children = true }]);
        MatchResult shell = Match(matcher, "bash", FilterSet.Empty);
        Assert.Equal("first", shell.Filter?.Name);
        Assert.Equal([1], FilterSetTests.IndexesIn(shell.ToChildren));
        Assert.Equal("tree", Match(matcher, "make", shell.ToChildren).Filter?.Name);
    }

    [Fact]
    public void Of_two_inherited_filters_the_first_in_the_file_owns_the_process()
    {
        Matcher matcher = Matcher.Compile([
            new FilterConfig { Name = "first", Comm = ["inner"], Children = true },
            new FilterConfig { Name = "second", Comm = ["outer"], Children = true }]);
        MatchResult outer = Match(matcher, "outer", FilterSet.Empty);
        MatchResult inner = Match(matcher, "inner", outer.ToChildren);
        Assert.Equal("first", inner.Filter?.Name);
        Assert.Equal("first", Match(matcher, "x", inner.ToChildren).Filter?.Name);

        // The other order: a descendant of both belongs to the first filter as well.
        inner = Match(matcher, "inner", FilterSet.Empty);
        outer = Match(matcher, "outer", inner.ToChildren);
        Assert.Equal("first", outer.Filter?.Name);
        Assert.Equal([0, 1], FilterSetTests.IndexesIn(outer.ToChildren));
    }

    [Fact]
    public void An_inherited_filter_reads_nothing_and_an_unknown_one_is_matched_again()
    {
        Matcher matcher = Matcher.Compile([
            new FilterConfig { Name = "owner", Comm = ["*"] },
            new FilterConfig { Name = "tree", Cmdline = new Regex("x", RegexOptions.NonBacktracking), Children = true }]);
        MatchResult unknown = Match(matcher, "a", FilterSet.Empty, cmdline: null);
        Assert.Equal("owner", unknown.Filter?.Name);
        // What its children inherit is not known yet.
        Assert.True(unknown.Incomplete);
        using FakeProcess child = new() { ForbidCommandLine = true };
        Assert.False(matcher.Match(child.Info, FilterSet.Empty.With(1)).Incomplete);
    }

    [Fact]
    public void More_than_64_filters()
    {
        IEnumerable<FilterConfig> filters = Enumerable.Range(0, 70).Select(i => new FilterConfig { Name = $"r{i}", Comm = [$"p{i}"], Children = true });
        Matcher matcher = Matcher.Compile([.. filters]);
        MatchResult parent = Match(matcher, "p69", FilterSet.Empty);
        Assert.Equal("r69", Match(matcher, "x", parent.ToChildren).Filter?.Name);
    }
}
