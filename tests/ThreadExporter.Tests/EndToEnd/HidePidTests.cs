using System.Diagnostics;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.EndToEnd;

/// <summary>
/// <see cref="ThreadExporter.Procfs.HidePid"/> in the daemon: it reports that /proc hides the processes of other users, and only then.
/// </summary>
public sealed class HidePidTests : IDisposable
{
    private readonly Process _watched = Process.Start("/bin/sleep", "600");
    private readonly string _directory = Directory.CreateTempSubdirectory("te-hidden-").FullName;

    public HidePidTests()
    {
        File.SetUnixFileMode(_directory, Daemon.ReadableByAll);
        Daemon.CopyProgram(_directory);
        Directory.CreateDirectory(Path.Combine(_directory, "proc"));
        Directory.CreateDirectory(Path.Combine(_directory, "run"));
        File.SetUnixFileMode(Path.Combine(_directory, "run"), (UnixFileMode)0x1ff);
    }

    public void Dispose()
    {
        _watched.Kill();
        _watched.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData("hidepid=2", "")]
    [InlineData("hidepid=1", "")]
    [InlineData("hidepid=4", "")]
    public async Task Hidepid_is_reported_as_the_only_cause_where_it_hides_processes(string option, string privilege)
    {
        await using Daemon daemon = await StartAsync(option, privilege, "comm = \"sleep\"");
        string page = await PageAsync(daemon);
        Assert.Contains("no match", page, StringComparison.Ordinal);
        Assert.Matches("/proc is mounted with <code>hidepid=[a-z0-9]+</code>, so processes of other users cannot be watched", page);
        Assert.DoesNotContain("security module", page, StringComparison.Ordinal);
        Assert.DoesNotContain("could not be read", page, StringComparison.Ordinal);
        await daemon.WaitForLogAsync("is mounted with hidepid=");
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("hidepid=2", "--inh-caps=+sys_ptrace --ambient-caps=+sys_ptrace")]
    [InlineData("hidepid=2,gid=65534", "")]
    public async Task Hidepid_is_not_reported_where_it_hides_nothing_from_the_daemon(string option, string privilege)
    {
        await using Daemon daemon = await StartAsync(option, privilege, "comm = \"sleep\"");
        string page = await PageAsync(daemon);
        Assert.Contains($"<small>{_watched.Id}</small>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("hidepid", page + daemon.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hidepid_is_not_reported_when_the_cause_is_an_exe_that_may_not_be_read()
    {
        await using Daemon daemon = await StartAsync("", "", $"exe = \"*/sleep\"\npid = {_watched.Id}");
        string page = await PageAsync(daemon);
        Assert.Contains("exe of 1 process could not be read: this requires the same user or CAP_SYS_PTRACE.", page, StringComparison.Ordinal);
        Assert.DoesNotContain("hidepid", page + daemon.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("security module", page, StringComparison.Ordinal);
        // The hint disappears when the process has exited.
        _watched.Kill();
        await _watched.WaitForExitAsync(TestContext.Current.CancellationToken);
        await Eventually.ValueAsync(() => PageAsync(daemon), page => !page.Contains("exe could not be read", StringComparison.Ordinal), "the page without the hint");
    }

    private async Task<Daemon> StartAsync(string option, string privilege, string filter)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/usr/bin/setpriv") && File.Exists("/usr/bin/unshare"),
            "needs root, setpriv(1) to become another user, and unshare(1) for a mount namespace");
        // Before Linux 5.8 all procfs mounts of a pid namespace share their options: this would hide processes on the whole machine.
        Assert.SkipUnless(Environment.OSVersion.Version >= new Version(5, 8), "needs Linux 5.8, where each procfs mount has options of its own");
        string config = Path.Combine(_directory, "config.toml");
        File.WriteAllText(config, $"[[filter]]\n{filter}\n");
        string proc = Path.Combine(_directory, "proc");
        string script = $"mount -t proc {(option.Length > 0 ? $"-o {option}" : "")} proc {proc} && shift && "
            + $"exec setpriv --reuid=65534 --regid=65534 --clear-groups {privilege} {_directory}/thread-exporter \"$@\"";
        // The first argument after the script name is the path of the program, which another user may not have access to.
        return await Daemon.StartAsync(["--config", config, "--path.procfs", proc],
            new Dictionary<string, string> { ["RUNTIME_DIRECTORY"] = Path.Combine(_directory, "run") },
            ["/usr/bin/unshare", "-m", "/bin/sh", "-c", script, "sh"]);
    }

    private static async Task<string> PageAsync(Daemon daemon) => await daemon.Http.GetStringAsync("/", TestContext.Current.CancellationToken);
}
