using System.Text.Json;
using ThreadExporter.Logging;
using ThreadExporter.Tests.Packaging;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Logging;

/// <summary><c>log.file = "auto"</c>, the default: the real program with and without a log directory from systemd.</summary>
public sealed class AutoLogFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("te-logs-").FullName;
    private readonly TempConfig _config = new("[[filter]]\nmatch = \"no-such-process\"\n");

    private string LogFile => Path.Combine(_directory, "thread-exporter.log");

    private Dictionary<string, string> Environment => new() { ["LOGS_DIRECTORY"] = _directory + ":/nonexistent" };

    [Theory]
    [InlineData("auto", null, null)]
    [InlineData("auto", "", null)]
    [InlineData("auto", "/var/log/x", "/var/log/x/thread-exporter.log")]
    [InlineData("auto", "/var/log/x:/var/log/y", "/var/log/x/thread-exporter.log")]
    [InlineData("auto", ":/var/log/y", null)]
    [InlineData("auto", "x", null)]
    [InlineData("", "/var/log/x", null)]
    [InlineData("/a/../b.log", "/var/log/x", "/b.log")]
    public void The_setting_and_the_environment_give_the_path(string setting, string? logsDirectory, string? path) =>
        Assert.Equal(path, LogFilePath.Of(setting, logsDirectory));

    [Fact]
    public async Task The_shipped_configuration_logs_the_same_to_both()
    {
        await using Daemon daemon = await Daemon.StartAsync(["--config", Repository.File("etc/thread-exporter.toml")], Environment);
        Assert.Equal(1, (await daemon.ScrapeParsedAsync()).Value("thread_exporter_log_file_writable"));
        Assert.Equal(0, await daemon.StopAsync());
        await daemon.WaitForLogAsync("Stopped");
        Assert.Equal(daemon.Log + "\n", await File.ReadAllTextAsync(LogFile, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_default_without_a_key_is_the_same()
    {
        await using Daemon daemon = await Daemon.StartAsync(["--config", _config.Path], Environment);
        Assert.True(File.Exists(LogFile));
    }

    [Fact]
    public async Task An_empty_value_disables_it()
    {
        _config.Write("[log]\nfile = \"\"\n");
        await using Daemon daemon = await Daemon.StartAsync(["--config", _config.Path], Environment);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory));
        Assert.Equal(1, (await daemon.ScrapeParsedAsync()).Value("thread_exporter_log_file_writable"));
    }

    [Fact]
    public async Task A_log_directory_that_is_not_there_is_one_warning()
    {
        await using Daemon daemon = await Daemon.StartAsync(
            ["--config", _config.Path], new Dictionary<string, string> { ["LOGS_DIRECTORY"] = Path.Combine(_directory, "none") });
        Assert.Equal(0, (await daemon.ScrapeParsedAsync()).Value("thread_exporter_log_file_writable"));
        Assert.Contains($"Cannot write log file {_directory}/none/thread-exporter.log: ", daemon.Log, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory));
    }

    [Theory]
    [InlineData("check")]
    [InlineData("once")]
    public async Task Other_commands_do_not_write_it(string command)
    {
        await AssertLeavesAloneAsync(command, LogFile);
        string other = Path.Combine(_directory, "exporter.log");
        _config.Write($"[log]\nfile = \"{other}\"\nfile_max_size = \"4KiB\"\n");
        await AssertLeavesAloneAsync(command, other);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("[log]\nformat = \"json\"\nlevel = \"critical\"\njournal = \"never\"\n", true)]
    [InlineData("[log]\nfile = \"\"\n", false)]
    public async Task A_configuration_that_cannot_be_used_is_an_event_for_both(string log, bool written)
    {
        _config.Write($"nonsense = 1\n{log}");
        // Its standard error looks like the journal; where journald does not listen, records go to standard output.
        (int code, string output, string error) = await ShellRun.RunAsync(
            "bash", ["-c", "JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec \"$@\"", "bash", Daemon.Program, "run", "--config", _config.Path],
            environment: Environment);
        Assert.True(code == 78, $"{code} {output} {error}");
        Assert.Equal(written, File.Exists(LogFile));
        if (!written)
            return;
        string line = Assert.Single(await File.ReadAllLinesAsync(LogFile, TestContext.Current.CancellationToken));
        if (log.Length > 0)
            line = JsonDocument.Parse(line).RootElement.GetProperty("message").GetString()!;
        Assert.Contains($"{_config.Path}:1:1: unknown key", line, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _config.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task AssertLeavesAloneAsync(string command, string file)
    {
        (int code, _, string error) = await Daemon.RunAsync([command, "--config", _config.Path], Environment);
        Assert.True(code == 0, error);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory));
        string text = new('x', 8192);
        await File.WriteAllTextAsync(file, text, TestContext.Current.CancellationToken);
        (code, _, error) = await Daemon.RunAsync([command, "--config", _config.Path], Environment);
        Assert.True(code == 0, error);
        Assert.Equal([file], Directory.EnumerateFileSystemEntries(_directory));
        Assert.Equal(text, await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
        File.Delete(file);
    }
}
