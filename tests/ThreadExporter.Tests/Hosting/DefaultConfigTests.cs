using System.Runtime.InteropServices;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Hosting;

/// <summary>Without <c>--config</c>: what is at the default path, in a mount namespace with a copy of /etc.</summary>
public sealed class DefaultConfigTests : IDisposable
{
    private const string Default = "/etc/thread-exporter.toml";
    private const string Filter = "[[filter]]\nname = \"first\"\nmatch = \"no-such-process\"\n";

    private readonly DirectoryInfo _runtime = Directory.CreateTempSubdirectory("te-run-");

    private Dictionary<string, string> Variables => new()
    {
        ["RUNTIME_DIRECTORY"] = _runtime.FullName,
        // Otherwise the runtime is searched for in /etc/dotnet.
        ["DOTNET_ROOT"] = Path.GetFullPath("../../..", RuntimeEnvironment.GetRuntimeDirectory()),
    };

    public void Dispose() => _runtime.Delete(recursive: true);

    [Fact]
    public async Task A_reload_loads_the_file_that_was_created_after_the_start_and_fails_when_it_is_missing()
    {
        await using Daemon daemon = await StartAsync("true");
        await daemon.WaitForLogAsync($"Configuration loaded from (no configuration file at {Default})");
        Assert.Equal((0, "", $"{Default} does not exist; the daemon uses its defaults and its command line\n"), await ReloadAsync(daemon));

        File.WriteAllText(Inside(daemon), Filter);
        Assert.Equal((0, "", ""), await ReloadAsync(daemon));
        await AssertFirstAsync(daemon, reloaded: 1);
        await daemon.WaitForLogAsync($"Configuration reloaded from {Default}: ");

        File.Delete(Inside(daemon));
        Assert.Equal((78, "", $"{Default}: no such file\n"), await ReloadAsync(daemon));
        await AssertFirstAsync(daemon, reloaded: 0);

        Directory.CreateDirectory(Inside(daemon));
        Assert.Equal((78, "", $"{Default}: is a directory\n"), await ReloadAsync(daemon));
        Directory.Delete(Inside(daemon));
        File.WriteAllText(Inside(daemon), Filter);
        Assert.Equal((0, "", ""), await ReloadAsync(daemon));
        await AssertFirstAsync(daemon, reloaded: 1);
    }

    [Fact]
    public async Task A_reload_fails_when_something_else_than_a_file_was_made_after_the_start()
    {
        await using Daemon daemon = await StartAsync("true");
        await daemon.WaitForLogAsync("Configuration loaded");
        Directory.CreateDirectory(Inside(daemon));
        Assert.Equal((78, "", $"{Default}: is a directory\n"), await ReloadAsync(daemon));
        await daemon.WaitForLogAsync($"Reload failed with 1 error in {Default};");
        Assert.Equal(0, (await daemon.ScrapeParsedAsync()).Value("thread_exporter_config_last_reload_successful"));
        Directory.Delete(Inside(daemon));
        Assert.Equal(0, (await ReloadAsync(daemon)).ExitCode);
    }

    [Fact]
    public async Task The_watcher_reports_a_deleted_file_and_loads_the_next_one()
    {
        await using Daemon daemon = await StartAsync($"printf '{Filter.Replace("\n", "\\n", StringComparison.Ordinal)}[web]\\nwatch_config = true\\n' > {Default}");
        await daemon.WaitForLogAsync("Configuration loaded from " + Default);
        File.Delete(Inside(daemon));
        await daemon.WaitForLogAsync($"{Default}: no such file");
        await AssertFirstAsync(daemon, reloaded: 0);
        File.WriteAllText(Inside(daemon), Filter);
        await daemon.WaitForLogAsync("Configuration reloaded");
        await AssertFirstAsync(daemon, reloaded: 1);
    }

    [Theory]
    [InlineData($"mkdir {Default}", "is a directory")]
    [InlineData($"ln -s nowhere {Default}", "no such file: the path is a dangling symbolic link")]
    [InlineData($"ln -s {Default} {Default}", "cannot be read, or has too many levels of symbolic links")]
    [InlineData($"mkfifo {Default}", "is not a regular file")]
    [InlineData($"install -m 0 /dev/null {Default}", "permission denied")]
    [InlineData("chmod 0 /etc", "permission denied")]
    public async Task An_unreadable_file_exits_78(string prepare, string error)
    {
        foreach (string command in (string[])["run", "check", "once"])
        {
            // Root may read every file unless it lacks two capabilities.
            await using Daemon daemon = Launch(prepare, "/usr/bin/setpriv --bounding-set -dac_override,-dac_read_search", command);
            int code = await daemon.WaitForExitAsync();
            Assert.True(code == 78, $"{command}: exit code {code}\n{daemon.Log}");
            // `check` looks at the role files, too.
            Assert.Equal($"{Default}: {error}", daemon.Log.Split('\n')[0]);
        }
    }

    [Fact]
    public async Task Check_reports_that_there_is_no_file()
    {
        await using Daemon daemon = Launch("true", "", "check");
        Assert.Equal(0, await daemon.WaitForExitAsync());
        Assert.StartsWith($"(no configuration file at {Default}): OK (0 filters)", daemon.Log, StringComparison.Ordinal);
    }

    private static string Inside(Daemon daemon) => $"/proc/{daemon.Pid}/root{Default}";

    private static async Task AssertFirstAsync(Daemon daemon, int reloaded)
    {
        Support.ParsedScrape scrape = await daemon.ScrapeParsedAsync();
        Assert.Equal("first", Assert.Single(scrape.Of("thread_exporter_filter_matched_processes")).Labels["filter"]);
        Assert.Equal(reloaded, scrape.Value("thread_exporter_config_last_reload_successful"));
    }

    private Task<(int ExitCode, string Output, string Error)> ReloadAsync(Daemon daemon) => Daemon.RunAsync(["reload", $"{daemon.Pid}"], Variables);

    private Task<Daemon> StartAsync(string prepare) => Daemon.StartForReloadAsync([], Variables, Through(prepare, ""));

    private Daemon Launch(string prepare, string last, string command) => Daemon.Launch([command], Variables, Through(prepare, last));

    /// <param name="prepare">Commands that create what is at the default path.</param>
    /// <param name="last">Program that becomes the daemon.</param>
    private static string[] Through(string prepare, string last)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/usr/bin/unshare") && File.Exists("/usr/bin/setpriv"),
            "needs root, unshare(1) and setpriv(1) for another /etc");
        return ["/usr/bin/unshare", "--mount", "--propagation", "private", "sh", "-euc",
            $"mount -t tmpfs -o mode=755 etc /mnt; cp -a /etc/. /mnt; mount --bind /mnt /etc; rm -rf {Default}; {prepare}; exec {last} \"$0\" \"$@\""];
    }
}
