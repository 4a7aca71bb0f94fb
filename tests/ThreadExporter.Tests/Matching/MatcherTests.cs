using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Matching;

namespace ThreadExporter.Tests.Matching;

public sealed class MatcherTests
{
    private static readonly FilterConfig AnyCommand = new() { Name = "any", Comm = ["*"] };

    private static Regex Regex(string pattern) => new(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);

    private static UserLookupResult UserLookup(string name) => name switch
    {
        "ceph" => UserLookupResult.Found(167),
        "root" => UserLookupResult.Found(0),
        _ => UserLookupResult.NotFound,
    };

    private static Matcher Compile(params ImmutableArray<FilterConfig> filters) => Matcher.Compile(filters, UserLookup);

    private static string? Owner(FilterConfig filter, FakeProcess process) =>
        Compile(filter).Match(process.Info, FilterSet.Empty).Filter?.Name;

    private static void AssertMatches(FilterConfig filter, FakeProcess matching, FakeProcess other)
    {
        Assert.Equal(filter.Name, Owner(filter, matching));
        Assert.Null(Owner(filter, other));
    }

    [Fact]
    public void Match_accepts_a_name_or_a_pid()
    {
        FilterConfig filter = new() { Name = "r", MatchNames = ["ceph-osd", "systemd-journald"], MatchPids = [3240] };
        using FakeProcess named = new(1, "ceph-osd");
        using FakeProcess cut = new(2, "systemd-journal");
        using FakeProcess numbered = new(3240, "other");
        using FakeProcess none = new(3241, "other");
        AssertMatches(filter, named, none);
        AssertMatches(filter, cut, none);
        AssertMatches(filter, numbered, none);
        AssertMatches(new FilterConfig { Name = "p", MatchPids = [3240] }, numbered, none);
        AssertMatches(new FilterConfig { Name = "n", MatchNames = ["ceph-osd"] }, named, none);
    }

    [Fact]
    public void Comm_is_a_glob_and_matches_a_truncated_name()
    {
        using FakeProcess osd = new(1, "ceph-osd");
        using FakeProcess mariadb = new(2, "mariadbd");
        using FakeProcess halved = new(3, rawComm: Encoding.UTF8.GetBytes("fourteen-bytesü")[..15]);
        AssertMatches(new FilterConfig { Name = "r", Comm = ["ceph-*"] }, osd, mariadb);
        AssertMatches(new FilterConfig { Name = "r", Comm = ["x", "mariadbd"] }, mariadb, osd);
        AssertMatches(new FilterConfig { Name = "r", Comm = ["fourteen-bytesüber"] }, halved, osd);
    }

    [Fact]
    public void Pid()
    {
        using FakeProcess listed = new(7);
        using FakeProcess other = new(8);
        AssertMatches(new FilterConfig { Name = "r", Pid = [6, 7] }, listed, other);
    }

    [Fact]
    public void Cmdline_is_a_regex_on_the_arguments_joined_by_spaces()
    {
        using FakeProcess ceph = new(cmdline: "/usr/bin/ceph-osd|--cluster|ceph|--name with space");
        using FakeProcess other = new(cmdline: "/usr/bin/ceph-osd|--cluster=ceph");
        using FakeProcess empty = new(cmdline: "");
        AssertMatches(new FilterConfig { Name = "r", Cmdline = Regex("--cluster ceph") }, ceph, other);
        AssertMatches(new FilterConfig { Name = "r", Cmdline = Regex("^/usr/bin/ceph-osd --cluster ceph --name with space$") }, ceph, other);
        AssertMatches(new FilterConfig { Name = "r", Cmdline = Regex("^$") }, empty, other);
    }

    [Fact]
    public void Exe()
    {
        using FakeProcess matching = new(exe: "/usr/bin/java (deleted)");
        using FakeProcess other = new(exe: "/opt/java");
        using FakeProcess none = new();
        AssertMatches(new FilterConfig { Name = "r", Exe = ["/usr/bin/*"] }, matching, other);
        AssertMatches(new FilterConfig { Name = "r", Exe = ["*"] }, other, none);
    }

    [Fact]
    public void User_by_name_and_by_uid()
    {
        using FakeProcess ceph = new(uid: 167);
        using FakeProcess root = new(uid: 0);
        using FakeProcess none = new();
        AssertMatches(new FilterConfig { Name = "r", User = ["ceph"] }, ceph, root);
        AssertMatches(new FilterConfig { Name = "r", User = ["167"] }, ceph, root);
        AssertMatches(new FilterConfig { Name = "r", User = ["5", "root"] }, root, ceph);
        AssertMatches(new FilterConfig { Name = "r", User = ["root"] }, root, none);
    }

    [Fact]
    public void Users_of_this_host_are_found_by_name()
    {
        using FakeProcess root = new(uid: 0);
        Matcher matcher = Matcher.Compile([new FilterConfig { Name = "r", User = ["root"] }]);
        Assert.NotNull(matcher.Match(root.Info, FilterSet.Empty).Filter);
        Assert.Empty(matcher.TakeWarnings());
    }

    [Fact]
    public void Unit_and_cgroup()
    {
        using FakeProcess osd = new(cgroup: "0::/system.slice/ceph-osd@1.service\n");
        using FakeProcess pod = new(cgroup: "0::/kubepods/burstable/pod1/abc\n");
        AssertMatches(new FilterConfig { Name = "r", Unit = ["ceph-osd@*.service"] }, osd, pod);
        AssertMatches(new FilterConfig { Name = "r", Cgroup = ["/kubepods*"] }, pod, osd);
        AssertMatches(new FilterConfig { Name = "r", Cgroup = ["/system.slice/*"], Unit = ["ceph-osd@1.service"] }, osd, pod);
        Assert.Null(Owner(new FilterConfig { Name = "r", Cgroup = ["/kubepods*"], Unit = ["ceph-osd@1.service"] }, osd));
        Assert.Null(Owner(new FilterConfig { Name = "r", Cgroup = ["/x"], Unit = ["ceph-osd@1.service"] }, osd));
    }

    [Fact]
    public void Every_key_that_is_set_must_match()
    {
        using FakeProcess process = new(42, "ceph-osd", 167, "0::/system.slice/ceph-osd@1.service\n", "ceph-osd|--id|1", "/usr/bin/ceph-osd");
        string pidFile = Path.GetTempFileName();
        try
        {
            File.WriteAllText(pidFile, "42\n");
            FilterConfig all = new()
            {
                Name = "all",
                MatchNames = ["ceph-osd"],
                Comm = ["ceph-*"],
                Cmdline = Regex("--id"),
                Exe = ["/usr/bin/*"],
                User = ["ceph"],
                Unit = ["*.service"],
                Cgroup = ["/system.slice*"],
                Pid = [42],
                PidFile = pidFile,
            };
            Assert.Equal("all", Owner(all, process));
            Assert.Null(Owner(all with { MatchNames = ["x"] }, process));
            Assert.Null(Owner(all with { Comm = ["x"] }, process));
            Assert.Null(Owner(all with { Cmdline = Regex("--name") }, process));
            Assert.Null(Owner(all with { Exe = ["x"] }, process));
            Assert.Null(Owner(all with { User = ["root"] }, process));
            Assert.Null(Owner(all with { Unit = ["x.service"] }, process));
            Assert.Null(Owner(all with { Cgroup = ["/x"] }, process));
            Assert.Null(Owner(all with { Pid = [43] }, process));
            Assert.Null(Owner(all with { PidFile = pidFile + ".missing" }, process));
        }
        finally
        {
            File.Delete(pidFile);
        }
    }

    [Fact]
    public void A_filter_without_keys_matches_nothing()
    {
        using FakeProcess process = new();
        Assert.Null(Owner(new FilterConfig { Name = "empty", Children = true, Daemon = Regex("(x)") }, process));
    }

    [Fact]
    public void The_first_filter_that_matches_owns_the_process()
    {
        using FakeProcess process = new(comm: "b");
        Matcher matcher = Compile(
            new FilterConfig { Name = "a", Comm = ["a"] },
            new FilterConfig { Name = "b", Comm = ["b"] },
            new FilterConfig { Name = "later", Comm = ["*"] });
        Assert.Same(matcher.Filters[1], matcher.Match(process.Info, FilterSet.Empty).Filter);
    }

    [Fact]
    public void Cheap_keys_are_matched_before_expensive_ones()
    {
        using FakeProcess process = new(comm: "b", uid: 1) { ForbidCommandLine = true };
        Matcher matcher = Compile(
            new FilterConfig { Name = "comm", Comm = ["a"], Cmdline = Regex("x") },
            new FilterConfig { Name = "user", User = ["ceph"], Cmdline = Regex("x") },
            new FilterConfig { Name = "owner", Comm = ["b"] },
            new FilterConfig { Name = "never matched", Comm = ["b"], Cmdline = Regex("x") });
        MatchResult result = matcher.Match(process.Info, FilterSet.Empty);
        Assert.Equal("owner", result.Filter?.Name);
        Assert.False(result.Incomplete);
    }

    [Fact]
    public void An_unknown_command_line_does_not_match_and_is_matched_again()
    {
        using FakeProcess process = new(cmdline: null);
        Matcher matcher = Compile(new FilterConfig { Name = "cmdline", Cmdline = Regex("") }, AnyCommand);
        MatchResult result = matcher.Match(process.Info, FilterSet.Empty);
        Assert.Equal("any", result.Filter?.Name);
        Assert.True(result.Incomplete);
        Assert.False(Compile(AnyCommand).Match(process.NewInfo(), FilterSet.Empty).Incomplete);
    }

    [Fact]
    public void Needs_ancestry_only_for_a_filter_with_children()
    {
        Assert.False(Compile(AnyCommand).NeedsAncestry);
        Assert.True(Compile(AnyCommand with { Children = true }).NeedsAncestry);
        Assert.Empty(Compile().Filters);
    }
}
