using System.Collections.Immutable;

namespace ThreadExporter.Configuration;

/// <summary>Values of the command line and the environment, flags already merged over the environment. They take precedence over the file.</summary>
internal sealed record ConfigOverrides
{
    /// <summary><c>--filter LIST</c> or <c>FILTER</c>: replaces the file's filters by one filter.</summary>
    public string? Filter { get; init; }
    /// <summary><c>--port N</c> or <c>PORT</c>: listen on every address at this port.</summary>
    public int? Port { get; init; }
    /// <summary><c>--web.listen-address ADDR</c>; empty: not given. The caller has rejected it together with <c>--port</c>.</summary>
    public ImmutableArray<string> ListenAddresses { get; init; } = [];
    /// <summary><c>--path.procfs DIR</c>.</summary>
    public string? Procfs { get; init; }
    /// <summary><c>--log.level LEVEL</c>.</summary>
    public LogLevel? LogLevel { get; init; }

    /// <summary>The configuration with these values applied. An error names the flag in place of a file.</summary>
    public ExporterConfig ApplyTo(ExporterConfig config, List<ConfigError> errors)
    {
        if (Filter is not null)
        {
            if (MatchList.Parse(Filter, out ImmutableArray<string> names, out ImmutableArray<int> pids) is { } error)
                errors.Add(new("--filter (or FILTER)", default, "filter.match", error));
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
                if (ConfigText.GetListenError(address) is { } error)
                    errors.Add(new("--web.listen-address", default, "web.listen", error));
            }
            config = config with { Web = config.Web with { Listen = ListenAddresses } };
        }
        if (Procfs is not null)
        {
            if (Procfs.Length == 0)
                errors.Add(new("--path.procfs", default, "collector.procfs", "must not be empty"));
            else if ((ConfigText.GetControlCharacterError(Procfs) ?? ConfigText.GetLengthError(Procfs)) is { } error)
                errors.Add(new("--path.procfs", default, "collector.procfs", error));
            // A path on the command line is relative to the current directory; paths in the file must be absolute.
            else
                config = config with { Collector = config.Collector with { Procfs = Procfs == "auto" ? Procfs : Path.GetFullPath(Procfs) } };
        }
        return LogLevel is { } level ? config with { Log = config.Log with { Level = level } } : config;
    }
}
