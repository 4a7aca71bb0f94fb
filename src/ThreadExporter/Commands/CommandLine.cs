using System.CommandLine;
using System.Globalization;
using ThreadExporter.Configuration;
using ThreadExporter.Text;

namespace ThreadExporter.Commands;

/// <summary>The command line: options, environment variables, commands. A test compares the docs and the man page with it.</summary>
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
        Description = "The procfs mount to read (default /host/proc if mounted, else /proc).",
        HelpName = "DIR",
        Recursive = true,
    };

    private readonly Option<string?> _level = new("--log.level")
    {
        Description = "Log level: trace, debug, info, warn, error or critical.",
        HelpName = "LEVEL",
        Recursive = true,
    };

    private readonly Argument<int?> _pid = new("PID")
    {
        Description = "Pid of the daemon; required when several daemons run.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Argument<string> _file = new("FILE")
    {
        Description = "The configuration of process-exporter, such as process-exporter.yml.",
    };

    private readonly Argument<string?> _name = new("NAME")
    {
        Description = "Name of a process or a thread, or a glob for names.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly ClientOptions _client = new();

    public CommandLine(
        Func<Invocation, Task<int>> run, Func<Invocation, int> check, Func<Invocation, int> once, Func<int?, Task<int>> reload, Func<string, int> convert,
        Func<string?, int> roles, Func<Invocation, TopArguments, Task<int>> top, Func<Invocation, ReportArguments, Task<int>> report)
    {
        Root = new RootCommand("Exports the CPU use of every thread of selected processes to Prometheus.")
        {
            _config, _filter, _port, _listen, _procfs, _level,
        };
        Command runCommand = new("run", "Run the daemon (the default).");
        Command checkCommand = new("check", "Check the configuration and the role files, and list the processes that match; exit 78 if they are invalid.");
        Command onceCommand = new("once", "Print the metrics of one collection in the text format.");
        Command reloadCommand = new("reload", "Make the daemon reload its configuration and wait for the result; exit 78 if it is invalid.") { _pid };
        Command convertCommand = new("convert", "Print a configuration of process-exporter as filters; exit 1 if something could not be carried over, 78 if it is invalid.") { _file };
        Command rolesCommand = new("roles", "Print what known threads are for; exit 1 if none is known for NAME, 78 if a role file is invalid.") { _name };
        Command topCommand = new("top", "Show the threads with the highest CPU use in this terminal: of this host, or of a daemon by --url.");
        Command reportCommand = new("report", "Print which threads used the CPU in a period that a daemon has recorded; exit 1 if nothing is recorded.");
        _client.AddTo(topCommand, reportCommand);
        foreach (Command command in (ReadOnlySpan<Command>)[runCommand, checkCommand, onceCommand, topCommand, reportCommand, reloadCommand, convertCommand, rolesCommand])
            Root.Subcommands.Add(command);

        Root.SetAction((result, _) => WithInvocation(result, run));
        runCommand.SetAction((result, _) => WithInvocation(result, run));
        checkCommand.SetAction((result, _) => WithInvocation(result, i => Task.FromResult(check(i))));
        onceCommand.SetAction((result, _) => WithInvocation(result, i => Task.FromResult(once(i))));
        topCommand.SetAction((result, _) => _client.ReadTop(result, _filter, out TopArguments? arguments) is { } error ? Task.FromResult(Usage(error)) : WithInvocation(result, i => top(i, arguments!)));
        reportCommand.SetAction((result, _) => _client.ReadReport(result, out ReportArguments? arguments) is { } error ? Task.FromResult(Usage(error)) : WithInvocation(result, i => report(i, arguments!)));
        reloadCommand.SetAction((result, _) => reload(result.GetValue(_pid)));
        convertCommand.SetAction((result, _) => Task.FromResult(
            result.GetValue(_file) is { } file && GetConfigPathError(file) is { } error ? Usage($"FILE {error}") : convert(result.GetValue(_file)!)));
        rolesCommand.SetAction((result, _) => Task.FromResult(
            result.GetValue(_name) is { } name && GetNameError(name) is { } error ? Usage($"NAME {error}") : roles(result.GetValue(_name))));
    }

    public RootCommand Root { get; }

    public async Task<int> InvokeAsync(string[] args)
    {
        // An argument that starts with @ is a plain argument, not a response file.
        ParseResult parsed = Root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
            return Usage(string.Join('\n', parsed.Errors.Select(e => e.Message)));
        // Main reports unhandled exceptions on one line; the library would print a stack trace.
        return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    private static int Usage(string message)
    {
        Console.Error.WriteLine($"thread-exporter: {Printable.Lines(message)}\nTry `thread-exporter --help`.");
        return ExitCode.Usage;
    }

    private static string? GetConfigPathError(string path) =>
        path.Length == 0 ? "must not be empty" : ConfigText.GetControlCharacterError(path) ?? ConfigText.GetLengthError(path);

    private static string? GetNameError(string name) => name.Length == 0 ? "must not be empty" : GlobParser.GetError(name);

    private Task<int> WithInvocation(ParseResult result, Func<Invocation, Task<int>> command)
    {
        string[] listen = result.GetValue(_listen) ?? [];
        int? port = result.GetValue(_port);
        if (port is not null && listen.Length > 0)
            return Task.FromResult(Usage("--port and --web.listen-address cannot be combined; put the port in the address"));
        if (port is < 0 or > 65535)
            return Task.FromResult(Usage($"invalid --port {port}: must be 0-65535"));
        if (port is null && listen.Length == 0 && Environment.GetEnvironmentVariable("PORT") is { Length: > 0 } fromEnvironment)
        {
            if (!int.TryParse(fromEnvironment, NumberStyles.None, CultureInfo.InvariantCulture, out int parsed) || parsed > 65535)
                return Task.FromResult(Usage($"invalid environment variable PORT=\"{fromEnvironment}\": must be 0-65535"));
            port = parsed;
        }
        LogLevel? level = null;
        if (result.GetValue(_level) is { } levelText)
        {
            if (!ConfigLoader.TryParseLogLevel(levelText, out LogLevel known))
                return Task.FromResult(Usage($"invalid --log.level \"{levelText}\": expected trace, debug, info, warn, error or critical"));
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
        if (config is not null && GetConfigPathError(config) is { } error)
            return Task.FromResult(Usage($"--config {error}"));
        return command(new Invocation(config ?? DefaultConfig, ConfigMayBeMissing: config is null, overrides));
    }
}

/// <summary>Arguments of a command; flags override environment variables.</summary>
/// <param name="ConfigPath">The configuration file.</param>
/// <param name="ConfigMayBeMissing">True for the default path: if the file is missing, the defaults apply.</param>
/// <param name="Overrides">Values that override the file.</param>
internal sealed record Invocation(string ConfigPath, bool ConfigMayBeMissing, ConfigOverrides Overrides);

/// <summary>The exit codes. An invalid configuration is EX_CONFIG of sysexits.h.</summary>
internal static class ExitCode
{
    public const int Success = 0;
    public const int Failure = 1;
    public const int Usage = 2;
    public const int BadConfig = 78;
}
