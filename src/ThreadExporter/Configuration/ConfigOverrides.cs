using System.Collections.Immutable;

namespace ThreadExporter.Configuration;

/// <summary>What the command line and the environment say, flags already merged over the environment. Beats the file.</summary>
internal sealed record ConfigOverrides
{
    /// <summary><c>--filter LIST</c> or <c>FILTER</c>: replaces the file's filters by one rule.</summary>
    public string? Filter { get; init; }
    /// <summary><c>--port N</c> or <c>PORT</c>: listen on every address at this port.</summary>
    public int? Port { get; init; }
    /// <summary><c>--web.listen-address ADDR</c>; empty: not given. The caller has refused it together with <c>--port</c>.</summary>
    public ImmutableArray<string> ListenAddresses { get; init; } = [];
    /// <summary><c>--path.procfs DIR</c>.</summary>
    public string? Procfs { get; init; }
    /// <summary><c>--log.level LEVEL</c>.</summary>
    public LogLevel? LogLevel { get; init; }

    /// <summary>The configuration with these over it. A fault names the flag in place of a file.</summary>
    public ExporterConfig ApplyTo(ExporterConfig config, List<ConfigError> errors)
    {
        if (Filter is not null)
        {
            if (MatchList.Parse(Filter, out ImmutableArray<string> names, out ImmutableArray<int> pids) is { } fault)
                errors.Add(new("--filter (or FILTER)", default, "filter.match", fault));
            config = config with { Filters = [new FilterConfig { Name = Filter.Trim(), MatchNames = names, MatchPids = pids }] };
        }
        if (Port is { } port)
        {
            if (port is < 0 or > 65535)
                errors.Add(new("--port (or PORT)", default, "web.listen", "must be from 0 to 65535"));
            config = config with { Web = config.Web with { Listen = [FormattableString.Invariant($":{port}")] } };
        }
        if (!ListenAddresses.IsEmpty)
        {
            foreach (string address in ListenAddresses)
            {
                if (ConfigText.GetListenError(address) is { } fault)
                    errors.Add(new("--web.listen-address", default, "web.listen", fault));
            }
            config = config with { Web = config.Web with { Listen = ListenAddresses } };
        }
        if (Procfs is not null)
        {
            if (Procfs.Length == 0)
                errors.Add(new("--path.procfs", default, "collector.procfs", "must not be empty"));
            else if ((ConfigText.GetControlCharacterError(Procfs) ?? ConfigText.GetLengthError(Procfs)) is { } fault)
                errors.Add(new("--path.procfs", default, "collector.procfs", fault));
            // A path on the command line is relative to where it was typed; one in the file has no such place.
            else
                config = config with { Collector = config.Collector with { Procfs = Procfs == "auto" ? Procfs : Path.GetFullPath(Procfs) } };
        }
        return LogLevel is { } level ? config with { Log = config.Log with { Level = level } } : config;
    }
}
