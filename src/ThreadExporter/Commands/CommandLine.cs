using System.CommandLine;
using System.Globalization;
using ThreadExporter.Configuration;
using ThreadExporter.Text;

namespace ThreadExporter.Commands;

/// <summary>The command line: options, environment, and which command runs. docs and man page are checked against it by a test.</summary>
internal sealed class CommandLine
{
    public const string DefaultConfig = "/etc/thread-exporter.toml";

    private readonly Option<string?> _config = new("--config")
    {
        Description = $"The configuration file (default {DefaultConfig} if it exists).",
        HelpName = "FILE",
        Recursive = true,
    };

    private readonly Option<string?> _filter = new("--filter")
    {
        Description = "Names and pids to watch, comma-separated; replaces the file's filters. Environment: FILTER.",
        HelpName = "LIST",
        Recursive = true,
    };

    private readonly Option<int?> _port = new("--port")
    {
        Description = "TCP port on all addresses (default 9199). Environment: PORT.",
        HelpName = "N",
        Recursive = true,
    };

    private readonly Option<string[]> _listen = new("--web.listen-address")
    {
        Description = "Address to listen on, such as 127.0.0.1:9199; repeatable.",
        HelpName = "ADDR",
        Recursive = true,
    };

    private readonly Option<string?> _procfs = new("--path.procfs")
    {
        Description = "The /proc to read (default /host/proc when it is mounted, else /proc).",
        HelpName = "DIR",
        Recursive = true,
    };

    private readonly Option<string?> _level = new("--log.level")
    {
        Description = "trace, debug, info, warn, error or critical.",
        HelpName = "LEVEL",
        Recursive = true,
    };

    private readonly Argument<int?> _pid = new("PID")
    {
        Description = "The daemon's pid; needed when more than one runs.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public CommandLine(Func<Invocation, Task<int>> run, Func<Invocation, int> check, Func<Invocation, int> once, Func<int?, Task<int>> reload)
    {
        Root = new RootCommand("Shows Prometheus the CPU use of every thread of the processes you choose.")
        {
            _config, _filter, _port, _listen, _procfs, _level,
        };
        Command runCommand = new("run", "Run the daemon (the default).");
        Command checkCommand = new("check", "Check the configuration, list what it matches now; exit 78 when it is bad.");
        Command onceCommand = new("once", "Print one collection in the text format.");
        Command reloadCommand = new("reload", "Have the daemon reload its configuration, wait for its verdict; exit 78 when it is bad.") { _pid };
        foreach (Command command in (ReadOnlySpan<Command>)[runCommand, checkCommand, onceCommand, reloadCommand])
            Root.Subcommands.Add(command);

        Root.SetAction((result, _) => WithInvocation(result, run));
        runCommand.SetAction((result, _) => WithInvocation(result, run));
        checkCommand.SetAction((result, _) => WithInvocation(result, i => Task.FromResult(check(i))));
        onceCommand.SetAction((result, _) => WithInvocation(result, i => Task.FromResult(once(i))));
        reloadCommand.SetAction((result, _) => reload(result.GetValue(_pid)));
    }

    public RootCommand Root { get; }

    public async Task<int> InvokeAsync(string[] args)
    {
        // An argument that begins with @ is an argument, not the name of a file with more of them.
        ParseResult parsed = Root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
            return Usage(string.Join('\n', parsed.Errors.Select(e => e.Message)));
        // Main reports what escapes, in one line; the library would print a stack trace.
        return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    private static int Usage(string message)
    {
        Console.Error.WriteLine($"thread-exporter: {Printable.Lines(message)}\nTry `thread-exporter --help`.");
        return ExitCode.Usage;
    }

    private static string? GetConfigPathError(string path) =>
        path.Length == 0 ? "must not be empty" : ConfigText.GetControlCharacterError(path) ?? ConfigText.GetLengthError(path);

    private Task<int> WithInvocation(ParseResult result, Func<Invocation, Task<int>> command)
    {
        string[] listen = result.GetValue(_listen) ?? [];
        int? port = result.GetValue(_port);
        if (port is not null && listen.Length > 0)
            return Task.FromResult(Usage("--port and --web.listen-address exclude each other: give the port in the address"));
        if (port is < 0 or > 65535)
            return Task.FromResult(Usage($"--port {port} is no TCP port: it goes from 0 to 65535"));
        if (port is null && listen.Length == 0 && Environment.GetEnvironmentVariable("PORT") is { Length: > 0 } fromEnvironment)
        {
            if (!int.TryParse(fromEnvironment, NumberStyles.None, CultureInfo.InvariantCulture, out int parsed) || parsed > 65535)
                return Task.FromResult(Usage($"the environment's PORT={fromEnvironment} is no TCP port: it goes from 0 to 65535"));
            port = parsed;
        }
        LogLevel? level = null;
        if (result.GetValue(_level) is { } levelText)
        {
            if (!ConfigLoader.TryParseLogLevel(levelText, out LogLevel known))
                return Task.FromResult(Usage($"--log.level {levelText} is unknown: it is trace, debug, info, warn, error or critical"));
            level = known;
        }
        string? filter = result.GetValue(_filter);
        if (filter is null && Environment.GetEnvironmentVariable("FILTER") is { Length: > 0 } filterFromEnvironment)
            filter = filterFromEnvironment;
        ConfigOverrides overrides = new()
        {
            Filter = filter,
            Port = port,
            ListenAddresses = [.. listen],
            Procfs = result.GetValue(_procfs),
            LogLevel = level,
        };
        string? config = result.GetValue(_config);
        if (config is not null && GetConfigPathError(config) is { } fault)
            return Task.FromResult(Usage($"--config {fault}"));
        return command(new Invocation(config ?? DefaultConfig, ConfigMayBeMissing: config is null, overrides));
    }
}

/// <summary>What a command was called with, flags already merged over the environment.</summary>
/// <param name="ConfigPath">The configuration file.</param>
/// <param name="ConfigMayBeMissing">It is the default one: without it the defaults apply.</param>
/// <param name="Overrides">What beats the file.</param>
internal sealed record Invocation(string ConfigPath, bool ConfigMayBeMissing, ConfigOverrides Overrides);

/// <summary>The exit codes: sysexits.h's EX_CONFIG for a bad configuration.</summary>
internal static class ExitCode
{
    public const int Success = 0;
    public const int Failure = 1;
    public const int Usage = 2;
    public const int BadConfig = 78;
}
