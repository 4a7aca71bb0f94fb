using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ThreadExporter.Linux;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Hosting;

/// <summary>Damaged, missing and half-written files: the previous configuration stays active, the gauge is 0, the daemon keeps running.</summary>
public sealed class ReloadFaultTests : IDisposable
{
    private const string Web = "[web]\nenable_lifecycle = true\n";
    private const string Good = "[[filter]]\nname = \"first\"\nmatch = \"no-such-process\"\n" + Web;

    private readonly TempConfig _config = new(Good);

    public void Dispose() => _config.Dispose();

    [SlowFact]
    public async Task Anything_else_at_the_path_leaves_the_previous_configuration_active()
    {
        await using Daemon daemon = await StartAsync();
        string path = _config.Path;
        // Kept until the end: a socket that is finalized deletes the file at its path, whatever that is by then.
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        (string Error, Action Make)[] faults =
        [
            ("no such file", () => { }),
            ("is empty: write at least a comment if this is intended", () => File.WriteAllText(path, "")),
            ("3:", () => File.WriteAllText(path, Good[..^(Web.Length + 3)])),
            ("1:", () => File.WriteAllBytes(path, [0xff, 0xfe, 0])),
            ("is a directory", () => Directory.CreateDirectory(path)),
            ("too many levels of symbolic links", () => File.CreateSymbolicLink(path, path)),
            ("no such file", () => File.CreateSymbolicLink(path, "nowhere")),
            ("is a directory", () => File.CreateSymbolicLink(path, "/")),
            ("is not a regular file", () => File.CreateSymbolicLink(path, "/dev/zero")),
            ("is not a regular file", () => MakeFifo(path)),
            ("is not a regular file", () => socket.Bind(new UnixDomainSocketEndPoint(path))),
            ("is longer than its reported size", () => File.CreateSymbolicLink(path, "/proc/cpuinfo")),
            ("the file is longer than 1048576 bytes", () =>
            {
                using FileStream file = File.Create(path);
                file.SetLength(1L << 30);
            }),
        ];
        foreach ((int i, (string error, Action make)) in faults.Index())
        {
            Remove(path);
            make();
            await AssertFailsAsync(daemon, error, $"fault {i}: ");
            Remove(path);
            _config.Write(Good);
            (HttpStatusCode status, string answer) = await ReloadAsync(daemon);
            Assert.True(status == HttpStatusCode.OK, $"after fault {i}, \"{error}\": {status}: {answer}");
            Assert.Equal(1, (await daemon.ScrapeParsedAsync()).Value("thread_exporter_config_last_reload_successful"));
        }
        Assert.Equal(0, await daemon.StopAsync());
    }

    [SlowFact]
    public async Task A_file_that_may_no_longer_be_read_is_an_error()
    {
        // Root may read every file unless it lacks two capabilities.
        string[]? through = Environment.IsPrivilegedProcess ? ["/usr/bin/setpriv", "--bounding-set", "-dac_override,-dac_read_search"] : null;
        Assert.SkipUnless(through is null || File.Exists(through[0]), "needs setpriv(1) to take root's capabilities away");
        await using Daemon daemon = await Daemon.StartAsync(["--config", _config.Path], through: through);
        File.SetUnixFileMode(_config.Path, UnixFileMode.None);
        await AssertFailsAsync(daemon, "permission denied");
        File.SetUnixFileMode(_config.Path, UnixFileMode.UserRead);
        Assert.Equal(HttpStatusCode.OK, (await ReloadAsync(daemon)).Status);
    }

    [SlowFact]
    public async Task An_empty_file_is_valid_only_if_an_empty_one_was_active_and_a_comment_is_always_valid()
    {
        _config.Write("");
        await using Daemon daemon = await StartAsync();
        await AssertReloadsAsync(daemon, "not toml", false);
        await AssertReloadsAsync(daemon, "", true);
        await AssertReloadsAsync(daemon, Good, true);
        await AssertReloadsAsync(daemon, "", false);
        await AssertReloadsAsync(daemon, "# nothing, and that is meant\n", true);
        Assert.Empty((await daemon.ScrapeParsedAsync()).Of("thread_exporter_filter_matched_processes"));
    }

    [SlowFact]
    public async Task A_file_written_in_place_and_in_pieces_is_taken_whole_or_not_at_all()
    {
        const int Filters = 100;
        File.WriteAllText(_config.Path, Filled('a'));
        await using Daemon daemon = await StartAsync();
        using CancellationTokenSource stop = new();
        int slow = 0;
        Task writer = Task.Run(async () =>
        {
            for (int i = 0; !stop.IsCancellationRequested; i++)
            {
                long startedAt = Stopwatch.GetTimestamp();
                // As an editor does: truncated, then written in parts, each of which is a valid file by itself.
                await using (FileStream file = new(_config.Path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0))
                {
                    foreach (string piece in Filled(i % 2 == 0 ? 'b' : 'a').Split("\n\n"))
                        file.Write(Encoding.ASCII.GetBytes(piece + "\n\n"));
                }
                if (Stopwatch.GetElapsedTime(startedAt) > TimeSpan.FromMilliseconds(80))
                    slow++;
                await Task.Delay(i % 3 * 100, TestContext.Current.CancellationToken);
            }
        }, TestContext.Current.CancellationToken);
        HashSet<char> seen = [];
        int halves = 0;
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(3) || (seen.Count < 2 && Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(15)))
        {
            (HttpStatusCode status, string text) = await ReloadAsync(daemon);
            Assert.True(status == HttpStatusCode.OK || text.Contains("is being written", StringComparison.Ordinal) || text.Contains("is empty", StringComparison.Ordinal), text);
            string[] names = [.. (await daemon.ScrapeParsedAsync()).Of("thread_exporter_filter_matched_processes").Select(s => s.Labels["filter"])];
            char[] prefixes = [.. names.Select(n => n[0]).Distinct()];
            if (names.Length == Filters && prefixes.Length == 1)
                seen.Add(prefixes[0]);
            else
                halves++;
        }
        await stop.CancelAsync();
        await writer;
        Assert.Equal(['a', 'b'], seen.Order());
        // A writer that is delayed for longer than a reload waits looks like one that has finished.
        Assert.True(halves == 0 || slow > 0, $"{halves} times half a file was active");

        static string Filled(char prefix) =>
            Web + "\n" + string.Concat(Enumerable.Range(0, Filters).Select(i => $"[[filter]]\nname = \"{prefix}{i}\"\nmatch = \"no-such-process\"\n\n"));
    }

    [SlowFact]
    public async Task A_thousand_SIGHUPs_in_a_row_are_a_few_reloads()
    {
        await using Daemon daemon = await StartAsync();
        for (int i = 0; i < 1000; i++)
            Assert.Equal(ReadStatus.Ok, Signals.SendHangup(daemon.Pid));
        Assert.Equal(HttpStatusCode.OK, (await ReloadAsync(daemon)).Status);
        Assert.Equal(1, (await daemon.ScrapeParsedAsync()).Value("thread_exporter_config_last_reload_successful"));
        await daemon.WaitForLogAsync("Configuration reloaded");
        Assert.InRange(daemon.Log.Split("Configuration reloaded").Length - 1, 1, 500);
        Assert.Equal(0, await daemon.StopAsync());
    }

    [SlowFact]
    public async Task SIGHUPs_to_the_very_end_of_a_shutdown_change_nothing_about_it()
    {
        for (int i = 0; i < 3; i++)
        {
            await using Daemon daemon = await StartAsync();
            daemon.Signal("TERM");
            while (!daemon.HasExited)
            {
                _ = Signals.SendHangup(daemon.Pid);
                Thread.Sleep(1);
            }
            // Killed by SIGHUP would be 129.
            Assert.Equal(0, await daemon.WaitForExitAsync());
        }
    }

    private static async Task AssertFailsAsync(Daemon daemon, string error, string what = "")
    {
        (HttpStatusCode status, string text) = await ReloadAsync(daemon);
        Assert.True(
            status == HttpStatusCode.InternalServerError && text.Contains(error, StringComparison.Ordinal), $"{what}expected \"{error}\", got {status}: {text}");
        Support.ParsedScrape scrape = await daemon.ScrapeParsedAsync();
        Assert.Equal(0, scrape.Value("thread_exporter_config_last_reload_successful"));
        Assert.Equal("first", Assert.Single(scrape.Of("thread_exporter_filter_matched_processes")).Labels["filter"]);
    }

    private static async Task<(HttpStatusCode Status, string Text)> ReloadAsync(Daemon daemon)
    {
        using HttpResponseMessage response = await daemon.Http.PostAsync("/-/reload", null);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private async Task AssertReloadsAsync(Daemon daemon, string content, bool succeeds)
    {
        int Results() => daemon.Log.Split(succeeds ? "Configuration reloaded" : "Reload failed").Length;
        int before = Results();
        _config.Write(content);
        daemon.Signal("HUP");
        await Eventually.TrueAsync(() => Results() > before, $"the reload of \"{content}\" {(succeeds ? "succeeded" : "failed")}", () => daemon.Log);
        Assert.Equal(succeeds ? 1 : 0, (await daemon.ScrapeParsedAsync()).Value("thread_exporter_config_last_reload_successful"));
    }

    private static void MakeFifo(string path)
    {
        using Process mkfifo = Process.Start("mkfifo", [path]);
        mkfifo.WaitForExit();
        Assert.Equal(0, mkfifo.ExitCode);
    }

    private static void Remove(string path)
    {
        if (Directory.Exists(path) && new FileInfo(path).LinkTarget is null)
            Directory.Delete(path);
        else
            File.Delete(path);
    }

    private Task<Daemon> StartAsync() => Daemon.StartAsync(["--config", _config.Path]);
}
