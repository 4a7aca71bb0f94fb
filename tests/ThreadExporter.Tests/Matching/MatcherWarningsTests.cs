using Microsoft.Extensions.Time.Testing;
using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Matching;
using ThreadExporter.Tests.Support;
using ThreadExporter.Web.Pages;

namespace ThreadExporter.Tests.Matching;

/// <summary>Problems of filters in the last pass: logged when they start, on the landing page while they last.</summary>
public sealed class MatcherWarningsTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly TempConfig _files = new("");

    public void Dispose() => _files.Dispose();

    [Fact]
    public void An_unknown_user_is_a_warning_and_a_hint_and_other_users_still_match()
    {
        UserLookupResult mysql = UserLookupResult.NotFound;
        using FakeProcess process = new(uid: 990);
        using FakeProcess root = new(uid: 0);
        Matcher matcher = Matcher.Compile(
            [new FilterConfig { Name = "db", User = ["mysql", "root"] }, new FilterConfig { Name = "r", User = ["root"] }],
            name => name == "root" ? UserLookupResult.Found(0) : mysql, _time);
        Assert.Equal(["filter \"db\": unknown user \"mysql\"; the user matches no process until it exists"], matcher.TakeWarnings());
        Assert.Empty(matcher.TakeWarnings());
        Assert.Contains("A user of this filter does not exist on this host.", Hints(matcher, 0));
        Assert.Empty(Hints(matcher, 1, empty: false));
        Assert.Null(matcher.Match(process.Info, FilterSet.Empty).Filter);
        Assert.Equal("db", matcher.Match(root.Info, FilterSet.Empty).Filter?.Name);

        mysql = UserLookupResult.Found(990);
        _time.Advance(UserDirectory.RetryInterval);
        matcher.Users.LookUpDue();
        Eventually.True(() => matcher.Users.IsIdle, "the lookup ends");
        Assert.True(matcher.BeginPass());
        Assert.False(matcher.BeginPass());
        Assert.Equal("db", matcher.Match(process.Info, FilterSet.Empty).Filter?.Name);
        Assert.Equal("db", matcher.Match(root.Info, FilterSet.Empty).Filter?.Name);
        Assert.Equal(["user is compared with the effective user of the process."], Hints(matcher, 0));
        Assert.Empty(matcher.TakeWarnings());

        mysql = UserLookupResult.NoResponse("Connection refused");
        _time.Advance(UserDirectory.RecheckInterval);
        matcher.Users.LookUpDue();
        Eventually.True(() => matcher.Users.IsIdle, "the lookup ends");
        Assert.False(matcher.BeginPass());
        Assert.Equal(["The user directory does not respond for a user of this filter; the previous uid stays in use."], Hints(matcher, 0, empty: false));
    }

    [Fact]
    public void A_user_whose_lookup_failed_is_not_reported_as_missing()
    {
        Matcher matcher = Matcher.Compile([new FilterConfig { Name = "db", User = ["mysql"] }], _ => UserLookupResult.NoResponse("Connection refused"), _time);
        Assert.Equal(["The user directory has not responded for a user of this filter; until it does, that user matches no process."], Hints(matcher, 0));
    }

    [Fact]
    public void A_denied_exe_is_reported_while_its_process_is_running()
    {
        using FakeProcess first = new(12, exe: "/usr/bin/a");
        using FakeProcess second = new(13, exe: "/usr/bin/a");
        Matcher matcher = Matcher.Compile([new FilterConfig { Name = "x", Exe = ["/usr/*"] }, new FilterConfig { Name = "y", Exe = ["/opt/*"] }], time: _time);
        first.Deny();
        second.Deny();
        Libc.AsNobody(() => Assert.All(Pass(matcher, first, second), Assert.Null));
        first.Allow();
        second.Allow();
        Assert.Equal(
            [
                "filter \"x\": cannot read exe of pid 12: requires the same user or CAP_SYS_PTRACE",
                "filter \"y\": cannot read exe of pid 12: requires the same user or CAP_SYS_PTRACE",
            ],
            matcher.TakeWarnings());
        Assert.Contains("exe of 2 processes could not be read: this requires the same user or CAP_SYS_PTRACE.", Hints(matcher, 0, empty: false));

        // The second process has exited.
        first.Deny();
        Libc.AsNobody(() => Pass(matcher, first));
        first.Allow();
        Assert.Contains("exe of 1 process could not be read: this requires the same user or CAP_SYS_PTRACE.", Hints(matcher, 0, empty: false));
        Assert.Empty(matcher.TakeWarnings());

        Assert.Equal("x", Assert.Single(Pass(matcher, first)));
        Assert.Empty(Hints(matcher, 0, empty: false));

        // It starts again: logged again, but not at once.
        first.Deny();
        Libc.AsNobody(() => Pass(matcher, first));
        Assert.Empty(matcher.TakeWarnings());
        _time.Advance(RecurringWarning.Interval);
        Libc.AsNobody(() => Pass(matcher, first));
        first.Allow();
        Assert.Equal(2, matcher.TakeWarnings().Count);
    }

    [Fact]
    public void The_current_problem_of_a_pidfile_is_reported()
    {
        string path = Path.Combine(_files.Folder, "pid");
        // Another user must be able to access the file.
        File.SetUnixFileMode(_files.Folder, (UnixFileMode)0x1ff);
        Matcher matcher = Matcher.Compile([new FilterConfig { Name = "r", PidFile = path }], time: _time);
        using FakeProcess process = new(100);

        Assert.Null(Assert.Single(Pass(matcher, process)));
        Assert.Equal(["The pidfile does not exist."], Hints(matcher, 0));
        Assert.Empty(matcher.TakeWarnings());

        File.WriteAllText(path, "starting\n");
        Pass(matcher, process);
        Assert.Equal(["The pidfile does not start with a pid."], Hints(matcher, 0));

        File.WriteAllText(path, "100\n");
        File.SetUnixFileMode(path, UnixFileMode.None);
        // No process is matched, but the state must be correct.
        Libc.AsNobody(() => Pass(matcher));
        Assert.Equal(["The pidfile is not readable by the daemon's user, so the filter matches nothing."], Hints(matcher, 0));
        Assert.Equal([$"filter \"r\": cannot read pidfile {path}: permission denied; the filter matches nothing"], matcher.TakeWarnings());

        File.SetUnixFileMode(path, UnixFileMode.UserRead);
        Assert.Equal("r", Assert.Single(Pass(matcher, process)));
        Assert.Empty(Hints(matcher, 0, empty: false));

        File.Delete(path);
        Directory.CreateDirectory(path);
        _time.Advance(RecurringWarning.Interval);
        for (int i = 0; i < 3; i++)
            Pass(matcher, process);
        Assert.Equal(["The pidfile is not a readable file, so the filter matches nothing."], Hints(matcher, 0));
        Assert.Equal([$"filter \"r\": cannot read pidfile {path}: not a readable regular file; the filter matches nothing"], matcher.TakeWarnings());

        Directory.Delete(path);
        File.WriteAllText(path, "101\n");
        Pass(matcher, process);
        Assert.StartsWith("The pidfile names a process that is not running", Assert.Single(Hints(matcher, 0)), StringComparison.Ordinal);
        Assert.Empty(matcher.TakeWarnings());
    }

    [Fact]
    public void An_earlier_filter_is_only_suspected_when_one_owns_a_process()
    {
        Matcher matcher = Matcher.Compile([new FilterConfig { Name = "a", Pid = [1] }, new FilterConfig { Name = "b", Pid = [2] }]);
        Assert.DoesNotContain(FilterHints.Of(matcher.Filters[1], matcher.Users, empty: true, earlierOwns: false), h => h.Contains("an earlier one", StringComparison.Ordinal));
        Assert.Contains(FilterHints.Of(matcher.Filters[1], matcher.Users, empty: true, earlierOwns: true), h => h.Contains("an earlier one", StringComparison.Ordinal));
    }

    private static string[] Hints(Matcher matcher, int filter, bool empty = true) =>
        [.. FilterHints.Of(matcher.Filters[filter], matcher.Users, empty, earlierOwns: false)];

    /// <summary>A pass over all processes, as in the process table. Returns the owner of each.</summary>
    private string?[] Pass(Matcher matcher, params FakeProcess[] processes)
    {
        _time.Advance(PidFile.Freshness);
        matcher.BeginPass();
        MatchResult[] results = [.. processes.Select(p => matcher.Match(p.NewInfo(), FilterSet.Empty))];
        foreach ((FakeProcess process, MatchResult result) in processes.Zip(results))
            matcher.CountExeDenied(process.Info.Pid, result.ExeDenied);
        matcher.EndPass(pid => processes.Any(p => p.Info.Pid == pid));
        return [.. results.Select(r => r.Filter?.Name)];
    }
}
