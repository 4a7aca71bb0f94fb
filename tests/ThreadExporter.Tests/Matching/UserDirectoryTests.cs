using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;
using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Matching;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Matching;

/// <summary>What is known about users while lookups succeed, fail and hang. The tests provide the lookups.</summary>
public sealed class UserDirectoryTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _time = new();
    private readonly Dictionary<string, UserLookupResult> _results = [];
    private readonly ManualResetEventSlim _hanging = new(initialState: true);
    private readonly UserDirectory _directory;
    private int _lookups;
    private int _running;
    private int _mostRunning;

    public UserDirectoryTests() => _directory = new UserDirectory(LookUp, _time);

    public void Dispose() => _hanging.Set();

    [Fact]
    public void A_known_user_stays_known_while_lookups_fail_and_is_forgotten_when_it_does_not_exist()
    {
        _results["alice"] = UserLookupResult.Found(1000);
        _results["bob"] = UserLookupResult.NotFound;
        Use(Long, "alice", "bob");
        Assert.Equal(new UserState(1000, false, false), _directory.StateOf("alice"));
        Assert.Equal(new UserState(null, true, false), _directory.StateOf("bob"));
        Assert.Equal(["filter \"f\": unknown user \"bob\"; the user matches no process until it exists"], _directory.TakeWarnings());
        Assert.Empty(_directory.TakeWarnings());

        _results["alice"] = _results["bob"] = UserLookupResult.NoResponse("Input/output error");
        Wait(UserDirectory.RecheckInterval);
        Assert.Equal(new UserState(1000, false, true), _directory.StateOf("alice"));
        Assert.Equal(new UserState(null, true, true), _directory.StateOf("bob"));
        Assert.Equal(
            [
                "filter \"f\": lookup of user \"alice\" failed (Input/output error); keeping uid 1000",
                "filter \"f\": lookup of user \"bob\" failed (Input/output error); the user matches no process until a lookup succeeds",
            ],
            _directory.TakeWarnings().Order());
        Wait(UserDirectory.RetryInterval);
        Assert.Empty(_directory.TakeWarnings());
        Assert.Empty(_directory.TakeRecoveries());

        _results["alice"] = UserLookupResult.NotFound;
        _results["bob"] = UserLookupResult.Found(1001);
        Wait(UserDirectory.RetryInterval);
        Assert.Equal(new UserState(null, true, false), _directory.StateOf("alice"));
        Assert.Equal(new UserState(1001, false, false), _directory.StateOf("bob"));
        Assert.Equal(["filter \"f\": unknown user \"alice\"; the user matches no process until it exists"], _directory.TakeWarnings());
        Assert.Equal(["filter \"f\": user \"bob\" now exists, with uid 1001"], _directory.TakeRecoveries());
    }

    [Fact]
    public void A_recovery_is_logged_once()
    {
        _results["alice"] = UserLookupResult.NoResponse("Connection refused");
        Use(Long, "alice");
        Assert.Single(_directory.TakeWarnings());
        _results["alice"] = UserLookupResult.Found(1000);
        Wait(UserDirectory.RetryInterval);
        Assert.Equal(["filter \"f\": lookup of user \"alice\" succeeded again: uid 1000"], _directory.TakeRecoveries());
        Wait(UserDirectory.RecheckInterval);
        Assert.Empty(_directory.TakeRecoveries());
        Assert.Empty(_directory.TakeWarnings());
    }

    [Fact]
    public void A_known_user_is_looked_up_again_and_may_have_another_uid()
    {
        _results["alice"] = UserLookupResult.Found(1000);
        Use(Long, "alice");
        int version = _directory.Version;
        Wait(UserDirectory.RetryInterval);
        Assert.Equal(1, _lookups);
        _results["alice"] = UserLookupResult.Found(2000);
        Wait(UserDirectory.RecheckInterval);
        Assert.Equal(2000u, _directory.StateOf("alice").Uid);
        Assert.NotEqual(version, _directory.Version);
        Assert.Equal(["filter \"f\": the uid of user \"alice\" changed from 1000 to 2000"], _directory.TakeRecoveries());
    }

    [Fact]
    public void A_new_configuration_keeps_results_and_forgets_users_that_it_does_not_have()
    {
        _results["alice"] = UserLookupResult.Found(1000);
        _results["bob"] = UserLookupResult.Found(1001);
        Use(Long, "alice", "bob");
        _results["alice"] = _results["bob"] = UserLookupResult.NoResponse("Input/output error");
        Use(Long, "alice");
        Use(Long, "alice", "bob");
        Assert.Equal(1000u, _directory.StateOf("alice").Uid);
        Assert.Null(_directory.StateOf("bob").Uid);
    }

    [Fact]
    public void A_lookup_that_hangs_is_waited_for_once_and_briefly_and_its_result_is_used_later()
    {
        _hanging.Reset();
        _results["alice"] = UserLookupResult.Found(1000);
        long start = Stopwatch.GetTimestamp();
        Use(TimeSpan.FromMilliseconds(100), "alice");
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.FromMilliseconds(90), Long / 2);
        Assert.Equal(new UserState(null, false, true), _directory.StateOf("alice"));
        Assert.Empty(_directory.TakeWarnings());

        _time.Advance(UserDirectory.Slow);
        Assert.Equal(
            ["filter \"f\": lookup of user \"alice\" failed (no response for 5 s); the user matches no process until a lookup succeeds"],
            _directory.TakeWarnings());
        // A reload does not wait for a lookup that is known to hang, and does not start another.
        start = Stopwatch.GetTimestamp();
        Use(Long, "alice");
        Wait(UserDirectory.RetryInterval);
        Assert.True(Stopwatch.GetElapsedTime(start) < Long / 2);
        Assert.Equal(1, _lookups);
        Assert.Empty(_directory.TakeWarnings());

        _hanging.Set();
        Eventually.True(() => _directory.StateOf("alice") == new UserState(1000, false, false), "the late result is used");
        Assert.Equal(["filter \"f\": lookup of user \"alice\" succeeded again: uid 1000"], _directory.TakeRecoveries());
    }

    [Fact]
    public void A_known_user_whose_lookup_hangs_stays_known_and_a_reload_does_not_wait_for_it()
    {
        _results["alice"] = UserLookupResult.Found(1000);
        Use(Long, "alice");
        _hanging.Reset();
        long start = Stopwatch.GetTimestamp();
        Use(Long, "alice");
        Assert.True(Stopwatch.GetElapsedTime(start) < Long / 2);
        Assert.Equal(new UserState(1000, false, false), _directory.StateOf("alice"));
        _time.Advance(UserDirectory.Slow);
        Assert.Equal(new UserState(1000, false, true), _directory.StateOf("alice"));
    }

    [Fact]
    public void Lookups_that_hang_use_few_threads_and_do_not_delay_another_user()
    {
        _hanging.Reset();
        string[] many = [.. Enumerable.Range(0, 20).Select(i => $"user-{i}")];
        _results["quick"] = UserLookupResult.Found(7);
        Use(TimeSpan.Zero, ["user-0", "user-1", "quick", .. many]);
        Eventually.True(() => _directory.StateOf("quick").Uid == 7, "the user whose lookup does not hang is known");
        for (int i = 0; i < 5; i++)
        {
            Wait(UserDirectory.RetryInterval);
            Use(TimeSpan.Zero, many);
        }
        Assert.InRange(Volatile.Read(ref _mostRunning), 1, UserDirectory.MaxThreads);
        _hanging.Set();
        Eventually.True(() => many.All(m => _directory.StateOf(m).IsAbsent), "all lookups have finished");
    }

    [Fact]
    public void A_number_needs_no_lookup()
    {
        _hanging.Reset();
        Use(Long, "1000");
        Assert.Equal(new UserState(1000, false, false), _directory.StateOf("1000"));
        Assert.Equal(0, _lookups);
    }

    [Fact]
    public void A_lookup_that_throws_has_failed()
    {
        UserDirectory directory = new(_ => throw new InvalidOperationException("broken"), _time);
        directory.Use([("alice", "f")], Long);
        Assert.Contains("(broken)", Assert.Single(directory.TakeWarnings()), StringComparison.Ordinal);
    }

    [Fact]
    public void The_filter_matches_its_user_once_the_lookup_has_finished()
    {
        _hanging.Reset();
        _results["alice"] = UserLookupResult.Found(1000);
        using FixtureProc proc = new();
        proc.Process(10, "f");
        proc.Write("10/status", "Name:\tf\nPid:\t10\nUid:\t1000\t1000\t1000\t1000\n"u8);
        proc.Thread(10, 10, "f"u8);
        // Processes are not matched again by rescans during the test.
        using LiveCollector live = new(new ExporterConfig { Collector = new CollectorConfig { RescanInterval = TimeSpan.FromHours(1) } }, proc.Root);
        FilterConfig filter = new() { Name = "f", User = ["alice"] };
        live.Use(new ExporterConfig { Filters = [filter], Collector = live.Snapshot.Config.Collector }, Matcher.Compile([filter], _directory, TimeSpan.Zero));
        Assert.Null(live.Collect(10));
        _hanging.Set();
        Eventually.True(() => _directory.StateOf("alice").Uid == 1000, "the lookup has finished");
        Assert.NotNull(live.Collect(10));

        _results["alice"] = UserLookupResult.NoResponse("Input/output error");
        Wait(UserDirectory.RecheckInterval);
        Assert.NotNull(live.Collect(10));
        live.Use(live.Snapshot.Config, Matcher.Compile([filter], _directory, Long));
        Assert.NotNull(live.Collect(10));

        _results["alice"] = UserLookupResult.Found(1001);
        Wait(UserDirectory.RecheckInterval);
        Assert.Null(live.Collect(10));
    }

    private UserLookupResult LookUp(string name)
    {
        Interlocked.Increment(ref _lookups);
        if (name == "quick")
            return _results[name];
        int running = Interlocked.Increment(ref _running);
        if (running > Volatile.Read(ref _mostRunning))
            Volatile.Write(ref _mostRunning, running);
        _hanging.Wait();
        Interlocked.Decrement(ref _running);
        lock (_results)
            return _results.GetValueOrDefault(name, UserLookupResult.NotFound);
    }

    private void Use(TimeSpan timeout, params string[] users) => _directory.Use(users.Select(u => (u, "f")), timeout);

    /// <summary>Lets time pass, as in housekeeping, and waits for lookups that do not hang.</summary>
    private void Wait(TimeSpan time)
    {
        _time.Advance(time);
        _directory.LookUpDue();
        if (_hanging.IsSet)
            Eventually.True(() => _directory.IsIdle, "the lookups end");
    }
}
