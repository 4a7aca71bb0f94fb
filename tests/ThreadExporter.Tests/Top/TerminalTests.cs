using System.Globalization;
using System.Text.RegularExpressions;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Top;

/// <summary><c>top</c> in a real terminal, with real keys and signals.</summary>
public sealed partial class TerminalTests : IAsyncLifetime
{
    private readonly Workload _workload = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("te-top-").FullName;
    private Tmux _tmux = null!;
    private int _hot;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Tmux.IsInstalled, "needs tmux: tests/setup installs it");
        _hot = _workload.Spawn("hot", "60");
        _workload.Spawn("cool", "5");
        _tmux = await Tmux.StartAsync(80, 24);
    }

    public async ValueTask DisposeAsync()
    {
        if (_tmux is not null)
            await _tmux.DisposeAsync();
        _workload.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [SlowFact]
    public async Task It_shows_the_hot_thread_and_follows_the_size_of_the_window()
    {
        await StartAsync();
        // On a busy machine the first screens, of a tenth of a second, may have another order.
        Regex first = new($@" PID [^\n]*\n> *{_workload.Pid} workload +{_hot} hot ");
        await _tmux.WaitAsync(first.IsMatch, "the hot thread in the first row");
        Assert.Contains(" q quit ", (await _tmux.ScreenAsync()).Split('\n')[23], StringComparison.Ordinal);
        await _tmux.ResizeAsync(200, 60);
        await _tmux.WaitAsync(s => s.Split('\n') is { Length: >= 60 } l && l[59].Contains(" q quit ", StringComparison.Ordinal) && s.Contains(" HISTORY ", StringComparison.Ordinal)
            && s.Contains(" REASON", StringComparison.Ordinal), "the screen of 200 by 60");
        await _tmux.ResizeAsync(60, 12);
        await _tmux.WaitAsync(s => s.Split('\n')[11].Contains(" q quit ", StringComparison.Ordinal) && !s.Contains(" HISTORY ", StringComparison.Ordinal), "the screen of 60 by 12");
        await QuitAsync();
    }

    [SlowFact]
    public async Task Keys_sort_filter_pause_and_show_details()
    {
        await StartAsync();
        await _tmux.TypeAsync("s");
        await _tmux.WaitAsync(s => s.Contains("sort: wait", StringComparison.Ordinal), "another order");
        await _tmux.TypeAsync("/coo");
        await _tmux.WaitAsync(s => s.Contains(" /coo_", StringComparison.Ordinal) && !s.Contains(" hot ", StringComparison.Ordinal), "only the other thread");
        await _tmux.PressAsync("Escape");
        await _tmux.WaitAsync(s => s.Contains(" hot ", StringComparison.Ordinal) && s.Contains(" q quit ", StringComparison.Ordinal), "all threads");
        await _tmux.TypeAsync("/hot");
        await _tmux.PressAsync("Enter");
        await _tmux.PressAsync("Enter");
        await _tmux.WaitAsync(s => s.Contains($"perf record -g -t {_hot} -- sleep 10", StringComparison.Ordinal), "the details");
        await _tmux.PressAsync("Escape");
        await _tmux.TypeAsync("h");
        await _tmux.WaitAsync(s => s.Contains("q, Ctrl-C", StringComparison.Ordinal), "the help");
        await _tmux.PressAsync("Escape");
        await _tmux.TypeAsync("p");
        await _tmux.WaitAsync(s => s.Contains("PAUSED", StringComparison.Ordinal), "the pause");
        await _tmux.PressAsync("Down");
        await QuitAsync();
    }

    [SlowTheory]
    [InlineData("C-c", null)]
    [InlineData(null, "TERM")]
    [InlineData(null, "HUP")]
    [InlineData(null, "INT")]
    [InlineData(null, "QUIT")]
    public async Task A_signal_leaves_the_terminal_as_it_was(string? key, string? signal)
    {
        await StartAsync();
        if (key is not null)
            await _tmux.PressAsync(key);
        else
            Assert.Equal(0, (await Packaging.ShellRun.RunAsync("/bin/kill", [$"-{signal}", $"{await PidAsync()}"])).ExitCode);
        await AssertRestoredAsync("0");
    }

    [SlowFact]
    public async Task Ctrl_Z_gives_the_terminal_back_and_fg_takes_it_again()
    {
        await StartAsync();
        await _tmux.PressAsync("C-z");
        await _tmux.WaitAsync(s => s.Contains("Stopped", StringComparison.Ordinal), "the shell");
        Assert.Equal(("0", "1"), (await _tmux.FlagAsync("alternate_on"), await _tmux.FlagAsync("cursor_flag")));
        await _tmux.CommandAsync("stty -a > stopped; echo written");
        await _tmux.WaitAsync(s => s.Contains("\nwritten", StringComparison.Ordinal), "the mode");
        Assert.Equal(Read("before"), Read("stopped"));
        await _tmux.CommandAsync("fg");
        await _tmux.WaitAsync(s => s.Contains(" q quit ", StringComparison.Ordinal), "the screen again");
        await _tmux.TypeAsync("q");
        // The shell has printed the exit code when it was stopped.
        await _tmux.WaitAsync(s => s.Contains("ended with 147", StringComparison.Ordinal), "the shell again");
        await AssertModeAsync();
    }

    [SlowFact]
    public async Task An_error_leaves_the_terminal_as_it_was_and_is_printed()
    {
        await _tmux.CommandAsync($"cd {_folder}; stty -a > before; {Daemon.Program} top --url http://127.0.0.1:1; echo ended with $?");
        await _tmux.WaitAsync(s => s.Contains("thread-exporter: http://127.0.0.1:1/ refuses the connection", StringComparison.Ordinal), "the error");
        await AssertRestoredAsync("1");
    }

    [SlowFact]
    public async Task Hostile_names_do_not_reach_the_terminal()
    {
        _workload.Rename(_hot, "\u001b[2J\u001b[31m\u202e\u0301"u8);
        await StartAsync("top");
        await _tmux.WaitAsync(s => s.Contains(@"\u001B[2J\u001", StringComparison.Ordinal), "the escaped name");
        string[] lines = (await _tmux.ScreenAsync()).Split('\n');
        Assert.Contains(" q quit ", lines[23], StringComparison.Ordinal);
        Assert.StartsWith(" thread-exporter top ", lines[0], StringComparison.Ordinal);
        await QuitAsync();
    }

    [SlowFact]
    public async Task It_shows_a_daemon()
    {
        await using Daemon daemon = await Daemon.StartAsync(["--filter", $"{_workload.Pid}"]);
        await StartAsync($"top --url {daemon.Http.BaseAddress}");
        Assert.Contains($" {_hot} hot ", await _tmux.ScreenAsync(), StringComparison.Ordinal);
        await daemon.StopAsync();
        await _tmux.WaitAsync(s => s.Contains("no answer", StringComparison.Ordinal) && s.Contains(" hot ", StringComparison.Ordinal), "the last figures and the error");
        await QuitAsync();
    }

    private async Task StartAsync(string? command = null)
    {
        await _tmux.CommandAsync($"cd {_folder}; stty -a > before; {Daemon.Program} {command ?? "top"}{(command is null or "top" ? $" --filter {_workload.Pid}" : "")} -d 0.5; echo ended with $?");
        await _tmux.WaitAsync(s => s.Contains("  live, averages of ", StringComparison.Ordinal) && s.Contains($" {_hot} ", StringComparison.Ordinal), "the screen");
        Assert.Equal(("1", "0"), (await _tmux.FlagAsync("alternate_on"), await _tmux.FlagAsync("cursor_flag")));
    }

    private async Task QuitAsync()
    {
        await _tmux.TypeAsync("q");
        await AssertRestoredAsync("0");
    }

    private async Task AssertRestoredAsync(string code)
    {
        await _tmux.WaitAsync(s => s.Contains($"ended with {code}", StringComparison.Ordinal), "the end");
        await AssertModeAsync();
    }

    private async Task AssertModeAsync()
    {
        Assert.Equal(("0", "1"), (await _tmux.FlagAsync("alternate_on"), await _tmux.FlagAsync("cursor_flag")));
        await _tmux.CommandAsync("stty -a > after; echo saved");
        await _tmux.WaitAsync(s => s.Contains("\nsaved", StringComparison.Ordinal), "the mode");
        Assert.Equal(Read("before"), Read("after"));
    }

    // The size of the window is in it.
    private string Read(string file) => WindowSize().Replace(File.ReadAllText(Path.Combine(_folder, file)), "");

    private async Task<int> PidAsync()
    {
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int pid) && await CommandLineAsync(pid) is { } line
                && line.StartsWith($"{Daemon.Program}\0top\0--filter\0{_workload.Pid}\0", StringComparison.Ordinal))
            {
                return pid;
            }
        }
        throw new InvalidOperationException("it does not run");
    }

    private static async Task<string?> CommandLineAsync(int pid)
    {
        try
        {
            return await File.ReadAllTextAsync($"/proc/{pid}/cmdline");
        }
        catch (IOException)
        {
            return null;
        }
    }

    [GeneratedRegex(@"rows \d+; columns \d+; ")]
    private static partial Regex WindowSize();
}
