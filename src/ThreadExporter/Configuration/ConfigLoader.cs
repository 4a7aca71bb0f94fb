using System.Collections.Immutable;
using ThreadExporter.Toml;

namespace ThreadExporter.Configuration;

/// <param name="Config">Null when there are errors.</param>
/// <param name="Errors">All of them: the file's in its order, then those of the command line.</param>
/// <param name="Tls">What the files of <c>[web.tls]</c> held; null without TLS, with errors, and when only a text was read.</param>
internal sealed record ConfigResult(ExporterConfig? Config, ImmutableArray<ConfigError> Errors, TlsFiles? Tls = null);

/// <summary>File and overrides to a configuration, or to every error there is.</summary>
internal static class ConfigLoader
{
    private const int MaxErrors = 50;

    /// <summary>
    /// Reads <paramref name="path"/>, which is also how errors name the file; null: no file, only defaults. Also tries what
    /// the configuration needs of this system: certificates, libcrypt.
    /// </summary>
    public static ConfigResult Load(string? path, ConfigOverrides overrides)
    {
        if (path is null)
            return Parse([], "", overrides);
        return ConfigFile.Read(path, out var content) is { } fault
            ? new(null, [new ConfigError(path, default, "", fault)])
            : Parse(content.Span, path, overrides, trySystem: true);
    }

    /// <summary>Reads the bytes of a file that errors call <paramref name="file"/>, whatever the system is like.</summary>
    public static ConfigResult Parse(ReadOnlySpan<byte> content, string file, ConfigOverrides overrides) =>
        Parse(content, file, overrides, trySystem: false);

    private static ConfigResult Parse(ReadOnlySpan<byte> content, string file, ConfigOverrides overrides, bool trySystem)
    {
        var document = TomlDocument.Parse(content);
        var errors = document.Errors.Select(e => new ConfigError(file, e.Position, "", e.Message)).ToList();
        var config = ConfigReader.Read(document.Root, file, errors);
        var tls = trySystem ? SystemNeeds.Try(config.Web, document.Root, file, errors) : null;
        errors = [.. errors.OrderBy(e => e.Position.Line).ThenBy(e => e.Position.Column)];
        // As for the faults of TOML: every one is logged, and nobody reads beyond the first screens.
        if (errors.Count > MaxErrors)
        {
            var rest = FormattableString.Invariant($"{errors.Count - MaxErrors} more errors from here on are not shown");
            errors = [.. errors[..MaxErrors], new ConfigError(file, errors[MaxErrors].Position, "", rest)];
        }
        config = overrides.ApplyTo(config, errors);
        return errors.Count == 0 ? new(config, [], tls) : new(null, [.. errors]);
    }

    /// <summary>The names of <c>log.level</c>, for the command line too.</summary>
    public static bool TryParseLogLevel(string text, out LogLevel level)
    {
        level = LogLevel.Warning;
        if (text == "warning")
            return true;
        foreach (var (name, value) in ConfigReader.LogLevels)
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
