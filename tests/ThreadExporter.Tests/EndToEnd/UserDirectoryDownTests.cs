using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.EndToEnd;

/// <summary>
/// <see cref="ThreadExporter.Matching.UserDirectory"/> in the daemon, in a mount namespace where user lookups hang (/etc/passwd is a file whose reads
/// the test completes, or a FIFO without a writer) or fail (the file does not exist).
/// </summary>
public sealed class UserDirectoryDownTests : IDisposable
{
    private const string User = "te-alice";
    private const string Uid = "54321";
    private static readonly string Entry = $"root:x:0:0::/root:/bin/sh\n{User}:x:{Uid}:{Uid}::/:/bin/sh\n";
    // The lookup never ends, so this only has to be longer than a start on a busy machine.
    private static readonly TimeSpan Prompt = TimeSpan.FromSeconds(40);

    private readonly TempConfig _config = new($"[[filter]]\nname = \"f\"\nuser = \"{User}\"\n");
    private readonly Process? _watched;
    private int _fed;
    private readonly Socket _notify = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

    public UserDirectoryDownTests()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/usr/bin/setpriv") && File.Exists("/usr/bin/unshare"),
            "needs root, setpriv(1) to start a process of another user, and unshare(1) for a mount namespace");
        _watched = Process.Start("/usr/bin/setpriv", [$"--reuid={Uid}", "--clear-groups", "/bin/sleep", "600"]);
        _notify.Bind(new UnixDomainSocketEndPoint(NotifyPath));
        // Read continuously: a full socket would block the daemon.
        _ = Task.Run(ReceiveAll);
    }

    private string NotifyPath => Path.Combine(_config.Folder, "notify");

    private string PasswdPath => Path.Combine(_config.Folder, "passwd");

    private string EtcPath => Path.Combine(_config.Folder, "etc");

    public void Dispose()
    {
        _watched?.Kill();
        _watched?.Dispose();
        _notify.Dispose();
        _config.Dispose();
    }

    [Fact]
    public async Task A_lookup_that_hangs_blocks_nothing_and_the_filter_matches_once_it_completes()
    {
        File.WriteAllText(PasswdPath, "");
        using FuseFile passwd = new(PasswdPath, _ => (FuseFile.Never, 0));
        long begin = Stopwatch.GetTimestamp();
        await using Daemon daemon = await StartAsync($"mount --bind {PasswdPath} /etc/passwd");
        AssertPrompt(begin);
        Assert.False(await MatchesAsync(daemon));
        await ReloadAsync(daemon);
        await FeedsWatchdogAsync();
        Assert.Contains("The user directory has not responded for a user of this filter", await daemon.Http.GetStringAsync("/", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await daemon.WaitForLogAsync($"lookup of user \"{User}\" failed (no response for 5 s); the user matches no process");
        Assert.DoesNotContain("unknown user", daemon.Log, StringComparison.Ordinal);
        await ReloadAsync(daemon);
        Assert.Equal(1, LookupThreads(daemon));

        passwd.AnswerWaiting(Encoding.ASCII.GetBytes(Entry));
        await Eventually.TrueAsync(async () => await MatchesAsync(daemon), "the filter matches its user");
        await daemon.WaitForLogAsync($"lookup of user \"{User}\" succeeded again: uid {Uid}");

        // The user is known, and the lookup that the reload starts hangs.
        await ReloadAsync(daemon);
        Assert.True(await MatchesAsync(daemon));
        Assert.Equal(1, LookupThreads(daemon));
        await FeedsWatchdogAsync();
        begin = Stopwatch.GetTimestamp();
        Assert.Equal(0, await daemon.StopAsync());
        AssertPrompt(begin);
    }

    [Fact]
    public async Task A_known_user_stays_known_while_lookups_fail()
    {
        Directory.CreateDirectory(EtcPath);
        string passwd = Path.Combine(EtcPath, "passwd"), away = passwd + ".away";
        await using Daemon daemon = await StartAsync($"cp -a /etc/. {EtcPath} && printf '{Entry.Replace("\n", "\\n", StringComparison.Ordinal)}' > {passwd} && echo passwd: files > {EtcPath}/nsswitch.conf && mount --bind {EtcPath} /etc");
        // On a machine that is not busy, at the first scrape.
        await Eventually.TrueAsync(async () => await MatchesAsync(daemon), "the filter matches its user");
        File.Move(passwd, away);
        await ReloadAsync(daemon);
        Assert.True(await MatchesAsync(daemon));
        await daemon.WaitForLogAsync($"lookup of user \"{User}\" failed (No such file or directory); keeping uid {Uid}");
        Assert.True(await MatchesAsync(daemon));

        File.Move(away, passwd);
        await ReloadAsync(daemon);
        await daemon.WaitForLogAsync($"lookup of user \"{User}\" succeeded again: uid {Uid}");
        Assert.True(await MatchesAsync(daemon));

        // The lookup works, and the user does not exist.
        File.WriteAllText(passwd, "root:x:0:0::/root:/bin/sh\n");
        await ReloadAsync(daemon);
        await Eventually.TrueAsync(async () => !await MatchesAsync(daemon), "the user is forgotten");
        await daemon.WaitForLogAsync($"unknown user \"{User}\"");
    }

    [Theory]
    [InlineData("check")]
    [InlineData("once")]
    public async Task A_command_waits_for_a_lookup_that_hangs_and_names_the_user(string command)
    {
        Libc.MakeFifo(PasswdPath);
        await using Daemon run = Daemon.Launch([command, "--config", _config.Path], null, Through($"mount --bind {PasswdPath} /etc/passwd"));
        Assert.Equal(0, await run.WaitForExitAsync());
        await run.WaitForLogAsync($"warning: filter \"f\": lookup of user \"{User}\" failed (no response for 5 s)");
    }

    private Task<Daemon> StartAsync(string mount) => Daemon.StartAsync(["--config", _config.Path],
        new Dictionary<string, string> { ["NOTIFY_SOCKET"] = NotifyPath, ["WATCHDOG_USEC"] = "400000" }, Through(mount));

    // Without HOME a library may look up the entry of the user.
    private static string[] Through(string mount) => ["/usr/bin/unshare", "-m", "/bin/sh", "-c", $"{mount} && unset HOME && exec \"$@\"", "sh"];

    private async Task<bool> MatchesAsync(Daemon daemon)
    {
        long begin = Stopwatch.GetTimestamp();
        Support.ParsedScrape scrape = await daemon.ScrapeParsedAsync();
        AssertPrompt(begin);
        return scrape.Of("perfscale_process_threads").Any(s => s.Labels["pid"] == _watched!.Id.ToString(CultureInfo.InvariantCulture));
    }

    private static async Task ReloadAsync(Daemon daemon)
    {
        int before = Reloads();
        long begin = Stopwatch.GetTimestamp();
        daemon.Signal("HUP");
        await Eventually.TrueAsync(() => Task.FromResult(Reloads() > before), "the reload ends");
        AssertPrompt(begin);

        int Reloads() => daemon.Log.Split("Configuration reloaded").Length;
    }

    private async Task FeedsWatchdogAsync()
    {
        int before = Volatile.Read(ref _fed);
        await Eventually.TrueAsync(() => Task.FromResult(Volatile.Read(ref _fed) >= before + 3), "the watchdog is fed");
    }

    private void ReceiveAll()
    {
        byte[] buffer = new byte[4096];
        try
        {
            while (true)
            {
                if (Encoding.UTF8.GetString(buffer, 0, _notify.Receive(buffer)) == "WATCHDOG=1")
                    Interlocked.Increment(ref _fed);
            }
        }
        // The test has ended.
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
    }

    private static int LookupThreads(Daemon daemon) =>
        Directory.GetDirectories($"/proc/{daemon.Pid}/task").Count(t => File.ReadAllText(t + "/comm") == "users\n");

    private static void AssertPrompt(long begin) => Assert.InRange(Stopwatch.GetElapsedTime(begin), TimeSpan.Zero, Prompt);
}
