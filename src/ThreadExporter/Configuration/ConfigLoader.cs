using System.Collections.Immutable;
using ThreadExporter.Linux;
using ThreadExporter.Text;
using ThreadExporter.Toml;

namespace ThreadExporter.Configuration;

/// <param name="Config">Null when there are errors.</param>
/// <param name="Errors">All errors: those of the file in its order, then those of the command line.</param>
/// <param name="Tls">The contents of the files of <c>[web.tls]</c>; null without TLS, with errors, and when only a text was read.</param>
internal sealed record ConfigResult(ExporterConfig? Config, ImmutableArray<ConfigError> Errors, TlsFiles? Tls = null)
{
    /// <summary>The identity of the file that was read; default without a file.</summary>
    public FileIdentity File { get; init; }

    /// <summary>What could be read of <c>[log]</c>, also when there are errors: they are logged there.</summary>
    public LogConfig Log { get; init; } = new();

    /// <summary>There was no file, and none is required.</summary>
    public bool IsWithoutFile { get; init; }
}

/// <summary>Loads a configuration from a file and overrides, or returns every error.</summary>
internal static class ConfigLoader
{
    private const int MaxErrors = 50;

    /// <summary>
    /// Reads <paramref name="path"/>, which is also the name of the file in errors; null: no file, only defaults. Also checks what the
    /// configuration needs from this host: certificates, libcrypt.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="overrides">Values that take precedence over the file.</param>
    /// <param name="mayBeMissing">Whether the file may be missing: the defaults apply then, as with <c>null</c>.</param>
    /// <param name="mayBeEmpty">False: an empty file is an error, because it is probably about to be written.</param>
    public static ConfigResult Load(string? path, ConfigOverrides overrides, bool mayBeMissing = false, bool mayBeEmpty = true)
    {
        if (path is null || (mayBeMissing && ConfigFile.IsMissing(path)))
            return Parse([], "", overrides) with { IsWithoutFile = true };
        string? error = ConfigFile.Read(path, out ReadOnlyMemory<byte> content, out FileIdentity file);
        if (error is null && content.IsEmpty && !mayBeEmpty)
            error = "is empty: write at least a comment if this is intended";
        ConfigResult result = error is null
            ? Parse(content.Span, path, overrides, checkHost: true)
            : new(null, [new ConfigError(path, default, "", error)]);
        return result with { File = file };
    }

    /// <summary>Reads the bytes of a file, which errors call <paramref name="file"/>. Checks nothing on this host.</summary>
    public static ConfigResult Parse(ReadOnlySpan<byte> content, string file, ConfigOverrides overrides) =>
        Parse(content, file, overrides, checkHost: false);

    private static ConfigResult Parse(ReadOnlySpan<byte> content, string file, ConfigOverrides overrides, bool checkHost)
    {
        TomlDocument document = TomlDocument.Parse(content);
        List<ConfigError> errors = document.Errors.Select(e => new ConfigError(file, e.Position, "", e.Message)).ToList();
        ExporterConfig config = ConfigReader.Read(document.Root, file, errors);
        TlsFiles? tls = checkHost ? HostRequirements.Check(config.Web, document.Root, file, errors) : null;
        errors = [.. errors.OrderBy(e => e.Position.Line).ThenBy(e => e.Position.Column)];
        // As for errors of TOML: each one is logged, and only the first screens are read.
        if (errors.Count > MaxErrors)
        {
            string rest = Plural.Count(errors.Count - MaxErrors, "more error", "more errors") + " not shown";
            errors = [.. errors[..MaxErrors], new ConfigError(file, errors[MaxErrors].Position, "", rest)];
        }
        config = overrides.ApplyTo(config, errors);
        return (errors.Count == 0 ? new ConfigResult(config, [], tls) : new ConfigResult(null, [.. errors])) with { Log = config.Log };
    }

    /// <summary>The names of <c>log.level</c>, also for the command line.</summary>
    public static bool TryParseLogLevel(string text, out LogLevel level)
    {
        level = LogLevel.Warning;
        if (text == "warning")
            return true;
        foreach ((string name, LogLevel value) in ConfigReader.LogLevels)
        {
            if (name == text)
            {
                level = value;
                return true;
            }
        }
        return false;
    }
}
