using ThreadExporter.Client;
using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Matching;
using ThreadExporter.Roles;
using ThreadExporter.Settings;
using ThreadExporter.Text;
using ThreadExporter.Top;

namespace ThreadExporter.Commands;

/// <summary><c>thread-exporter top</c>: the hot page in a terminal, of this host or of a daemon.</summary>
internal static class TopCommand
{
    // Of a core, for the readings; the screen costs about as much again.
    private const double CpuBudget = 0.01;

    public static async Task<int> RunAsync(Invocation invocation, TopArguments arguments)
    {
        ITopSource? source = Open(invocation, arguments);
        if (source is null)
            return ExitCode.BadConfig;
        using (source)
        {
            bool isBatch = arguments.IsBatch || !TerminalInput.IsTerminal || !TerminalInput.IsOutputTerminal
                || Environment.GetEnvironmentVariable("TERM") is null or "" or "dumb";
            TopOptions options = new(arguments.Refresh, arguments.Count ?? (arguments.At is not null && isBatch ? 1 : null), isBatch, IsUtf8(),
                HasColor: string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")));
            if (await new TopSession(source, options, TimeProvider.System).RunAsync() is not { } error)
                return ExitCode.Success;
            Console.Error.WriteLine($"thread-exporter: {error}");
            return ExitCode.Failure;
        }
    }

    /// <summary>Null: the configuration is invalid, and its errors were printed.</summary>
    private static ITopSource? Open(Invocation invocation, TopArguments arguments)
    {
        if (arguments.Url is null && arguments.At is null)
            return LoadConfig(invocation, out string? notice) is { } config ? new LocalSource(config, notice) : null;
        return new ApiSource(new ApiClient(arguments.Url ?? DaemonUrl(invocation)), arguments.At);
    }

    /// <summary>Where the daemon of this host listens, if its configuration may be read; else at the default port.</summary>
    internal static Uri DaemonUrl(Invocation invocation)
    {
        string? error = ConfigFile.Read(invocation.ConfigPath, out ReadOnlyMemory<byte> content, out _);
        ConfigResult read = ConfigLoader.Parse(error is null ? content.Span : [], invocation.ConfigPath, invocation.Overrides);
        return ApiClient.UrlOf(read.Config?.Web ?? new WebConfig());
    }

    /// <summary>
    /// The configuration without what only a daemon needs: certificates are not read. The default file is the daemon's own, so it need not be
    /// readable; without filters all processes are watched.
    /// </summary>
    private static ConfigSnapshot? LoadConfig(Invocation invocation, out string? notice)
    {
        notice = null;
        string? error = ConfigFile.Read(invocation.ConfigPath, out ReadOnlyMemory<byte> content, out _);
        ConfigResult read = error is not null && !invocation.ConfigMayBeMissing
            ? new ConfigResult(null, [new ConfigError(invocation.ConfigPath, default, "", error)])
            : ConfigLoader.Parse(error is null ? content.Span : [], invocation.ConfigPath, invocation.Overrides);
        foreach (ConfigError problem in read.Errors)
            Console.Error.WriteLine(problem);
        if (read.Config is not { } config)
            return null;
        if (config.Filters.IsEmpty)
        {
            string path = Printable.Of(invocation.ConfigPath);
            string why = error is null ? $"{path} has no filter" : ConfigFile.IsMissing(invocation.ConfigPath) ? $"there is no {path}" : $"{path} cannot be read ({error})";
            notice = $"All processes, because {why}. --filter LIST names some.";
            config = config with { Filters = [new FilterConfig { Name = "all", Comm = ["*"] }] };
        }
        // Saturated time is counted by the daemon's sampler.
        config = config with { Sampler = config.Sampler with { Enabled = false, CpuBudget = Math.Min(CpuBudget, config.Sampler.CpuBudget) } };
        return new ConfigSnapshot(config, Matcher.Compile(config.Filters), DateTimeOffset.UtcNow) { Roles = RoleCatalog.Load(RoleFolders.Default) };
    }

    // As the C library decides it: the first of these variables that is set.
    private static bool IsUtf8()
    {
        string? locale = new[] { Environment.GetEnvironmentVariable("LC_ALL"), Environment.GetEnvironmentVariable("LC_CTYPE"), Environment.GetEnvironmentVariable("LANG") }
            .FirstOrDefault(v => !string.IsNullOrEmpty(v));
        return locale is not null && (locale.Contains("UTF-8", StringComparison.OrdinalIgnoreCase) || locale.Contains("utf8", StringComparison.OrdinalIgnoreCase));
    }
}
