using System.Collections.Immutable;
using ThreadExporter.Linux;
using ThreadExporter.Text;
using ThreadExporter.Toml;

namespace ThreadExporter.Configuration;

/// <param name="Config">Null when there are errors.</param>
/// <param name="Errors">All of them: the file's in its order, then those of the command line.</param>
/// <param name="Tls">What the files of <c>[web.tls]</c> held; null without TLS, with errors, and when only a text was read.</param>
internal sealed record ConfigResult(ExporterConfig? Config, ImmutableArray<ConfigError> Errors, TlsFiles? Tls = null)
{
    /// <summary>What stood at the path when it was read; default without a file.</summary>
    public FileIdentity File { get; init; }

    /// <summary>What could be read of <c>[log]</c>, also when there are errors: where to tell them.</summary>
    public LogConfig Log { get; init; } = new();

    /// <summary>There was no file, and need not be.</summary>
    public bool IsWithoutFile { get; init; }
}

/// <summary>File and overrides to a configuration, or to every error there is.</summary>
internal static class ConfigLoader
{
    private const int MaxErrors = 50;

    /// <summary>
    /// Reads <paramref name="path"/>, which is also how errors name the file; null: no file, only defaults. Also tries what the
    /// configuration needs of this system: certificates, libcrypt.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="overrides">What beats the file.</param>
    /// <param name="mayBeMissing">Whether there need not be a file: without one the defaults apply, as with <c>null</c>.</param>
    /// <param name="mayBeEmpty">False: a file without a single byte is an error, being one that somebody is about to write.</param>
    public static ConfigResult Load(string? path, ConfigOverrides overrides, bool mayBeMissing = false, bool mayBeEmpty = true)
    {
        if (path is null || (mayBeMissing && ConfigFile.IsMissing(path)))
            return Parse([], "", overrides) with { IsWithoutFile = true };
        string? fault = ConfigFile.Read(path, out ReadOnlyMemory<byte> content, out FileIdentity file);
        if (fault is null && content.IsEmpty && !mayBeEmpty)
            fault = "is empty: write at least a comment into it if that is meant";
        ConfigResult result = fault is null ? Parse(content.Span, path, overrides, trySystem: true) : new(null, [new ConfigError(path, default, "", fault)]);
        return result with { File = file };
    }

    /// <summary>Reads the bytes of a file that errors call <paramref name="file"/>, whatever the system is like.</summary>
    public static ConfigResult Parse(ReadOnlySpan<byte> content, string file, ConfigOverrides overrides) =>
        Parse(content, file, overrides, trySystem: false);

    private static ConfigResult Parse(ReadOnlySpan<byte> content, string file, ConfigOverrides overrides, bool trySystem)
    {
        TomlDocument document = TomlDocument.Parse(content);
        List<ConfigError> errors = document.Errors.Select(e => new ConfigError(file, e.Position, "", e.Message)).ToList();
        ExporterConfig config = ConfigReader.Read(document.Root, file, errors);
        TlsFiles? tls = trySystem ? HostRequirements.Check(config.Web, document.Root, file, errors) : null;
        errors = [.. errors.OrderBy(e => e.Position.Line).ThenBy(e => e.Position.Column)];
        // As for the faults of TOML: every one is logged, and nobody reads beyond the first screens.
        if (errors.Count > MaxErrors)
        {
            string rest = Plural.Count(errors.Count - MaxErrors, "more error from here on is", "more errors from here on are") + " not shown";
            errors = [.. errors[..MaxErrors], new ConfigError(file, errors[MaxErrors].Position, "", rest)];
        }
        config = overrides.ApplyTo(config, errors);
        return (errors.Count == 0 ? new ConfigResult(config, [], tls) : new ConfigResult(null, [.. errors])) with { Log = config.Log };
    }

    /// <summary>The names of <c>log.level</c>, for the command line too.</summary>
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
