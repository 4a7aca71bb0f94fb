using System.Collections.Immutable;
using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Matching;

namespace ThreadExporter.Settings;

/// <summary>How a load of the configuration ended.</summary>
/// <param name="StartedAt">CLOCK_MONOTONIC nanoseconds when the file began to be read: who asked before then is answered.</param>
/// <param name="Errors">Empty: the new configuration is in force.</param>
/// <param name="RestartKeys">Changed keys that wait for a restart.</param>
internal sealed record ReloadResult(long StartedAt, ImmutableArray<ConfigError> Errors, ImmutableArray<string> RestartKeys)
{
    public bool Succeeded => Errors.IsEmpty;

    /// <summary>The file as this load found it; the watch looks for another.</summary>
    public FileIdentity File { get; init; }

    /// <summary>There was no file, and none was in use before: the defaults apply.</summary>
    public bool IsWithoutFile { get; init; }
}

/// <summary>The configuration in force and the way to a new one: read, parse, validate, compile, swap one reference.</summary>
internal sealed class ConfigHolder
{
    private readonly ConfigOverrides _overrides;
    private readonly ExporterConfig _started;
    private readonly UserDirectory _users;
    private volatile ConfigSnapshot _current;
    private volatile ReloadResult _last;
    private bool _mayBeEmpty;
    private volatile bool _isWithoutFile;

    private ConfigHolder(string? path, ConfigOverrides overrides, UserDirectory users, ConfigSnapshot snapshot, ReloadResult result)
    {
        (Path, _overrides, _users, _current, _last) = (path, overrides, users, snapshot, result);
        _started = snapshot.Config;
        _mayBeEmpty = result.File.Size == 0;
        _isWithoutFile = result.IsWithoutFile;
    }

    public ConfigSnapshot Current => _current;

    public ReloadResult Last => _last;

    /// <summary>Where each load looks for a file, which need not be there when it is the default path. Null: nowhere.</summary>
    public string? Path { get; }

    /// <summary>Where the active configuration comes from.</summary>
    public string DisplayPath => !_isWithoutFile ? Path! : Path is null ? "(no configuration file)" : $"(no configuration file at {Path})";

    /// <summary>The first load. Null with the errors when the configuration is bad.</summary>
    /// <param name="path">The file; null: none.</param>
    /// <param name="mayBeMissing">Whether the defaults apply when nothing is there.</param>
    /// <param name="overrides">What flags and the environment say.</param>
    /// <param name="errors">Empty, or what is wrong.</param>
    /// <param name="userPatience">How long to wait for users to be looked up; <see cref="Matcher.Timeout"/> unless given.</param>
    public static ConfigHolder? Load(
        string? path, bool mayBeMissing, ConfigOverrides overrides, out ImmutableArray<ConfigError> errors, TimeSpan? userPatience = null)
    {
        UserDirectory users = new();
        (ConfigSnapshot? snapshot, ReloadResult result) =
            LoadSnapshot(path, overrides, null, mayBeMissing, mayBeEmpty: true, users, userPatience ?? Matcher.Timeout);
        errors = result.Errors;
        return snapshot is null ? null : new ConfigHolder(path, overrides, users, snapshot, result);
    }

    /// <summary>
    /// Loads anew; on any error the configuration in force stays. An empty file is one when the configuration in force came
    /// from a file that was not: an editor that truncates before it writes must not switch everything off. A missing file is one when the
    /// active configuration came from a file. Called by the reload loop only.
    /// </summary>
    public ReloadResult Reload()
    {
        long startedAt = Clocks.MonotonicNanoseconds();
        try
        {
            (ConfigSnapshot? snapshot, ReloadResult result) = LoadSnapshot(Path, _overrides, _started, _isWithoutFile, _mayBeEmpty, _users, Matcher.Timeout);
            if (snapshot is not null)
            {
                _current = snapshot;
                _mayBeEmpty = result.File.Size == 0;
                _isWithoutFile = result.IsWithoutFile;
            }
            return _last = result;
        }
        // A fault of ours in reading a file must not end a daemon that works: it is one more way for a reload to fail.
        catch (Exception e)
        {
            return _last = new ReloadResult(startedAt, [new ConfigError(Path ?? DisplayPath, default, "", $"internal fault, please report it: {e}")], [])
            {
                File = Path is null ? default : FileIdentity.Read(Path),
            };
        }
    }

    private static (ConfigSnapshot?, ReloadResult) LoadSnapshot(
        string? path, ConfigOverrides overrides, ExporterConfig? started, bool mayBeMissing, bool mayBeEmpty,
        UserDirectory users, TimeSpan userPatience)
    {
        long startedAt = Clocks.MonotonicNanoseconds();
        ConfigResult loaded = ConfigLoader.Load(path, overrides, mayBeMissing, mayBeEmpty);
        if (loaded.Config is not { } config)
            return (null, new ReloadResult(startedAt, loaded.Errors, []) { File = loaded.File });
        ConfigSnapshot snapshot = new(config, Matcher.Compile(config.Filters, users, userPatience), DateTimeOffset.UtcNow, loaded.Tls);
        return (snapshot, new ReloadResult(startedAt, [], started is null ? [] : ConfigKeys.ChangedAtRestart(started, config))
        {
            File = loaded.File,
            IsWithoutFile = loaded.IsWithoutFile,
        });
    }
}
