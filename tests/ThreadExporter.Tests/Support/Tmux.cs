using ThreadExporter.Tests.Packaging;

namespace ThreadExporter.Tests.Support;

/// <summary>A shell in a real terminal: tmux(1) with a server of its own, so that it sees no session of the person who runs the tests.</summary>
internal sealed class Tmux : IAsyncDisposable
{
    // tmux leaves its socket behind.
    private readonly string _folder = Directory.CreateTempSubdirectory("te-tmux-").FullName;

    public static bool IsInstalled { get; } = File.Exists("/usr/bin/tmux");

    /// <summary>Starts a shell that prompts with a dollar sign.</summary>
    public static async Task<Tmux> StartAsync(int columns, int rows)
    {
        Tmux tmux = new();
        // -u: UTF-8 whatever the locale; the shell's own locale says what the program may write.
        await tmux.RunAsync("-u", "-f", "/dev/null", "new-session", "-d", "-x", $"{columns}", "-y", $"{rows}",
            "env", "-u", "THREAD_EXPORTER_URL", "-u", "NO_COLOR", "LC_ALL=C.UTF-8", "PS1=$ ", "bash", "--norc");
        await tmux.WaitAsync(screen => screen.StartsWith('$'), "the prompt");
        return tmux;
    }

    /// <summary>Types text as it is.</summary>
    public Task TypeAsync(string text) => RunAsync("send-keys", "-l", text);

    /// <summary>Presses a key by tmux's name: Enter, Escape, Down, C-c.</summary>
    public Task PressAsync(string key) => RunAsync("send-keys", key);

    public async Task CommandAsync(string line)
    {
        await TypeAsync(line);
        await PressAsync("Enter");
    }

    public Task ResizeAsync(int columns, int rows) => RunAsync("resize-window", "-x", $"{columns}", "-y", $"{rows}");

    /// <summary>The screen as a person sees it.</summary>
    public async Task<string> ScreenAsync() => await RunAsync("capture-pane", "-p");

    /// <summary>A variable of tmux: <c>cursor_flag</c> is 1 while the cursor is visible, <c>alternate_on</c> while the alternate screen is.</summary>
    public async Task<string> FlagAsync(string name) => (await RunAsync("display-message", "-p", $"#{{{name}}}")).Trim();

    public Task WaitAsync(Func<string, bool> isThere, string what) => Eventually.TrueAsync(async () => isThere(await ScreenAsync()), what, ScreenAsync);

    public async ValueTask DisposeAsync()
    {
        await RunAsync("kill-server");
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<string> RunAsync(params string[] arguments)
    {
        (int code, string output, string error) = await ShellRun.RunAsync("/usr/bin/tmux", ["-S", Path.Combine(_folder, "socket"), .. arguments]);
        return code == 0 ? output : throw new InvalidOperationException($"tmux {string.Join(' ', arguments)}: {error}");
    }
}
