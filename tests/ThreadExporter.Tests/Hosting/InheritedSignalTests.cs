using System.Diagnostics;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Hosting;

/// <summary>The daemon is started with signals ignored or blocked, as nohup, <c>trap ''</c> and some supervisors leave them.</summary>
public sealed class InheritedSignalTests : IDisposable
{
    private const string Good = "[[filter]]\nname = \"first\"\nmatch = \"thread-exporter\"\n";

    private readonly TempConfig _config = new(Good);
    private readonly DirectoryInfo _runtime = Directory.CreateTempSubdirectory("te-run-");

    private Dictionary<string, string> Variables => new() { ["RUNTIME_DIRECTORY"] = _runtime.FullName };

    public void Dispose()
    {
        _config.Dispose();
        _runtime.Delete(recursive: true);
    }

    [Theory]
    [InlineData("nohup")]
    [InlineData("sh -c trap|''|HUP;|exec|\"$0\"|\"$@\"")]
    [InlineData("env --ignore-signal=HUP,TERM")]
    [InlineData("env --block-signal=HUP,TERM")]
    public async Task SIGHUP_reloads_and_SIGTERM_stops(string through)
    {
        string[] words = [.. through.Split(' ').Select(w => w.Replace('|', ' '))];
        await using Daemon daemon = await Daemon.StartForReloadAsync(["--config", _config.Path], Variables, words);
        await daemon.WaitForLogAsync("Configuration loaded");
        daemon.Signal("HUP");
        await daemon.WaitForLogAsync("Configuration reloaded");
        _config.Write(Good.Replace("first", "second", StringComparison.Ordinal));
        Assert.Equal((0, "", ""), await Daemon.RunAsync(["reload", $"{daemon.Pid}"], Variables));
        Assert.Equal("second", Assert.Single((await daemon.ScrapeParsedAsync()).Of("thread_exporter_filter_matched_processes")).Labels["filter"]);
        Assert.Equal(0, await daemon.StopAsync());
    }

    [Fact]
    public async Task SIGINT_that_was_ignored_is_for_the_terminals_foreground()
    {
        await using Daemon daemon = await Daemon.StartForReloadAsync(["--config", _config.Path], Variables, ["env", "--ignore-signal=INT"]);
        daemon.Signal("INT");
        Assert.Equal((0, "", ""), await Daemon.RunAsync(["reload", $"{daemon.Pid}"], Variables));
        Assert.Equal(0, await daemon.StopAsync());
    }

    /// <summary>About the tests themselves: under nohup and in the background of a script it fails without tests/InheritedSignals.cs.</summary>
    [Fact]
    public async Task Child_processes_of_the_tests_ignore_neither_SIGHUP_nor_SIGINT_nor_SIGQUIT()
    {
        using Process grep = Process.Start(new ProcessStartInfo("grep", ["^SigIgn:", "/proc/self/status"]) { RedirectStandardOutput = true })!;
        string line = await grep.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0UL, Convert.ToUInt64(line.Split('\t')[1].Trim(), 16) & 0b111);
    }
}
