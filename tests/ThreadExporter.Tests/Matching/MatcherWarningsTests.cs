using System.Runtime.InteropServices;
using ThreadExporter.Configuration;
using ThreadExporter.Matching;
using ThreadExporter.Web;

namespace ThreadExporter.Tests.Matching;

public sealed partial class MatcherWarningsTests
{
    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int setfsuid(uint fsuid);

    [Fact]
    public void An_unknown_user_is_a_warning_and_is_looked_up_again_once_a_minute()
    {
        var time = new ManualTime();
        var known = false;
        var lookups = 0;
        bool LookUp(string name, out uint uid)
        {
            lookups++;
            uid = name == "root" ? 0u : 990u;
            return name == "root" || known;
        }
        using var process = new FakeProcess(uid: 990);
        using var root = new FakeProcess(uid: 0);
        var matcher = Matcher.Compile(
            [new FilterConfig { Name = "db", User = ["mysql", "root"] }, new FilterConfig { Name = "r", User = ["root"] }], LookUp, time);
        Assert.Equal(["filter \"db\": user \"mysql\" is not known (yet), so it matches nothing"], matcher.TakeWarnings());
        Assert.Empty(matcher.TakeWarnings());
        Assert.Equal(3, lookups);
        Assert.Null(matcher.Match(process.Facts, RuleSet.Empty).Rule);
        Assert.Equal("db", matcher.Match(root.Facts, RuleSet.Empty).Rule?.Name);

        known = true;
        time.Advance(TimeSpan.FromSeconds(59));
        matcher.RetryUsers();
        Assert.Equal(3, lookups);
        time.Advance(TimeSpan.FromSeconds(1));
        matcher.RetryUsers();
        // Only the rule with an unknown user asks again.
        Assert.Equal(5, lookups);
        Assert.Equal("db", matcher.Match(process.Facts, RuleSet.Empty).Rule?.Name);
        Assert.Equal("db", matcher.Match(root.Facts, RuleSet.Empty).Rule?.Name);

        time.Advance(TimeSpan.FromHours(1));
        matcher.RetryUsers();
        Assert.Equal(5, lookups);
        Assert.Empty(matcher.TakeWarnings());
    }

    [Fact]
    public void A_user_that_stays_unknown_is_told_once()
    {
        var time = new ManualTime();
        var matcher = Matcher.Compile([new FilterConfig { Name = "r", User = ["no-such-user-here"] }], time: time);
        Assert.Equal(["filter \"r\": user \"no-such-user-here\" is not known (yet), so it matches nothing"], matcher.TakeWarnings());
        time.Advance(TimeSpan.FromMinutes(2));
        matcher.RetryUsers();
        Assert.Empty(matcher.TakeWarnings());
    }

    [Fact]
    public void A_denied_exe_is_told_once_per_rule()
    {
        using var first = new FakeProcess(12, exe: "/usr/bin/a");
        using var second = new FakeProcess(13, exe: "/usr/bin/a");
        var matcher = Matcher.Compile([new FilterConfig { Name = "x", Exe = ["/usr/*"] }, new FilterConfig { Name = "y", Exe = ["/opt/*"] }]);
        Exception? failure = null;
        // A thread of its own, because the file system uid is a thread's, and is not given back.
        var thread = new Thread(() =>
        {
            try
            {
                if (Environment.IsPrivilegedProcess)
                    _ = setfsuid(65534);
                Assert.Null(matcher.Match(first.Facts, RuleSet.Empty).Rule);
                Assert.Null(matcher.Match(second.Facts, RuleSet.Empty).Rule);
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        first.Deny();
        second.Deny();
        thread.Start();
        thread.Join();
        first.Allow();
        second.Allow();
        Assert.Null(failure);
        Assert.Equal(
            [
                "filter \"x\": exe of pid 12 cannot be read: that needs the same user or CAP_SYS_PTRACE",
                "filter \"y\": exe of pid 12 cannot be read: that needs the same user or CAP_SYS_PTRACE",
            ],
            matcher.TakeWarnings());
        // The landing page goes on saying it.
        Assert.Equal("exe could not be read of some processes: that needs the same user or CAP_SYS_PTRACE.", Assert.Single(FilterHints.Of(matcher.Rules[0], empty: true)));
    }

    [Fact]
    public void A_file_that_is_no_pidfile_is_told_once()
    {
        var directory = Directory.CreateTempSubdirectory("thread-exporter-test-");
        try
        {
            var time = new ManualTime();
            var matcher = Matcher.Compile([new FilterConfig { Name = "r", PidFile = directory.FullName }], time: time);
            using var process = new FakeProcess();
            for (var i = 0; i < 2; i++)
            {
                Assert.Null(matcher.Match(process.Facts, RuleSet.Empty).Rule);
                time.Advance(PidFile.Freshness);
            }
            Assert.Equal([$"filter \"r\": pidfile {directory.FullName} cannot be read, so the rule matches nothing"], matcher.TakeWarnings());
        }
        finally
        {
            directory.Delete();
        }
    }
}
