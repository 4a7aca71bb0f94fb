using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;

namespace ThreadExporter.Tests.Support;

/// <summary>The real program as a child process: the daemon with its URL and log, or one command to its end.</summary>
internal sealed class Daemon : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _log = new();
    private readonly TaskCompletionSource<Uri> _url = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string? _ownDirectory;

    private Daemon(Process process, string? ownDirectory)
    {
        (_process, _ownDirectory) = (process, ownDirectory);
        process.OutputDataReceived += (_, line) => Take(line.Data);
        process.ErrorDataReceived += (_, line) => Take(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _ = process.WaitForExitAsync().ContinueWith(
            _ => _url.TrySetException(new InvalidOperationException($"the daemon ended with {process.ExitCode}:\n{Log}")), TaskScheduler.Default);
    }

    /// <summary>The program that was built with the tests, or the one that TE_BINARY names, relative to the root of the repository.</summary>
    public static string Program { get; } = Environment.GetEnvironmentVariable("TE_BINARY") is { Length: > 0 } binary
        ? Path.GetFullPath(binary, Repository.Root)
        : Path.Combine(AppContext.BaseDirectory, "thread-exporter");

    /// <summary>Copies the program and what it loads into a folder, so that another user can start it there as thread-exporter.</summary>
    public static void CopyProgram(string folder)
    {
        // A published program is one file. One that was built has its libraries beside it.
        string own = Path.GetDirectoryName(Program)!;
        foreach (string file in own == Path.GetDirectoryName(AppContext.BaseDirectory) ? Directory.EnumerateFiles(own) : [Program])
        {
            string copy = Path.Combine(folder, Path.GetFileName(file));
            File.Copy(file, copy);
            File.SetUnixFileMode(copy, ReadableByAll);
        }
    }

    public const UnixFileMode ReadableByAll = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    public int Pid => _process.Id;

    public string Log => string.Join('\n', _log);

    public HttpClient Http { get; } = new(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.None }) { Timeout = Timeout };

    public bool HasExited => _process.HasExited;

    /// <summary>Starts the daemon on a free port and waits until it listens.</summary>
    public static async Task<Daemon> StartAsync(
        IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null, IReadOnlyList<string>? through = null)
    {
        Daemon daemon = Launch([.. arguments, "--web.listen-address", "127.0.0.1:0"], environment, through);
        daemon.Http.BaseAddress = await daemon._url.Task.WaitAsync(Timeout);
        return daemon;
    }

    /// <summary>
    /// As <see cref="StartAsync"/>, for tests of the reload command: waits for the reload status file too. The daemon writes it shortly after it
    /// listens; until then the command does not find the daemon.
    /// </summary>
    /// <param name="arguments">Its command line.</param>
    /// <param name="environment">Variables in addition to those of the tests; with RUNTIME_DIRECTORY, where the file is.</param>
    /// <param name="through">As in <see cref="Launch"/>.</param>
    public static async Task<Daemon> StartForReloadAsync(
        IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, IReadOnlyList<string>? through = null)
    {
        Daemon daemon = await StartAsync(arguments, environment, through);
        string status = Path.Combine(environment["RUNTIME_DIRECTORY"], $"{daemon.Pid}.json");
        await Eventually.TrueAsync(() => File.Exists(status), "the reload status file", () => daemon.Log);
        return daemon;
    }

    /// <summary>Starts the daemon without further arguments and does not wait.</summary>
    /// <param name="arguments">Its command line.</param>
    /// <param name="environment">Variables in addition to those of the tests.</param>
    /// <param name="through">A program with its arguments that becomes the daemon, as setpriv(1) does.</param>
    public static Daemon Launch(
        IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null, IReadOnlyList<string>? through = null)
    {
        string? own = null;
        Dictionary<string, string> variables = new(environment ?? new Dictionary<string, string>());
        if (!variables.ContainsKey("RUNTIME_DIRECTORY"))
            variables["RUNTIME_DIRECTORY"] = own = Directory.CreateTempSubdirectory("te-run-").FullName;
        ProcessStartInfo start = through is null
            ? StartInfo(arguments, variables)
            : StartInfo([.. through.Skip(1), Program, .. arguments], variables, through[0]);
        return new Daemon(Process.Start(start)!, own);
    }

    /// <summary>Runs one command to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        using Process process = Process.Start(StartInfo(arguments, environment ?? new Dictionary<string, string>()))!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(Timeout);
        return (process.ExitCode, await output, await error);
    }

    public async Task<string> ScrapeAsync() => await Http.GetStringAsync("/metrics");

    public async Task<ParsedScrape> ScrapeParsedAsync() => ParsedScrape.Parse(await ScrapeAsync());

    /// <summary>Waits for a line of the log.</summary>
    public Task WaitForLogAsync(string text) =>
        Eventually.TrueAsync(() => Log.Contains(text, StringComparison.Ordinal), $"\"{text}\" in the log", () => Log);

    public void Signal(string name)
    {
        using Process kill = Process.Start("/bin/kill", [$"-{name}", $"{Pid}"]);
        kill.WaitForExit();
    }

    public async Task<int> StopAsync()
    {
        Signal("TERM");
        await _process.WaitForExitAsync().WaitAsync(Timeout);
        return _process.ExitCode;
    }

    public async Task<int> WaitForExitAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Timeout);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }
        _process.Dispose();
        if (_ownDirectory is not null)
            Directory.Delete(_ownDirectory, recursive: true);
    }

    private static ProcessStartInfo StartInfo(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, string? program = null)
    {
        ProcessStartInfo start = new(program ?? Program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        // Settings of the test machine must not change what the daemon does.
        foreach (string name in (string[])["FILTER", "PORT", "NOTIFY_SOCKET", "JOURNAL_STREAM", "RUNTIME_DIRECTORY", "LOGS_DIRECTORY", "STATE_DIRECTORY", "CONFIGURATION_DIRECTORY", "XDG_RUNTIME_DIR", "WATCHDOG_USEC", "WATCHDOG_PID", "THREAD_EXPORTER_URL"])
            start.Environment.Remove(name);
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        return start;
    }

    private void Take(string? line)
    {
        if (line is null)
            return;
        _log.Enqueue(line);
        const string Mark = "Listening on ";
        int at = line.IndexOf(Mark, StringComparison.Ordinal);
        if (at >= 0)
            _url.TrySetResult(new Uri(new Uri(line[(at + Mark.Length)..]).GetLeftPart(UriPartial.Authority)));
    }
}
