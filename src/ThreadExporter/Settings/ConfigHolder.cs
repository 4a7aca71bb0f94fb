using System.Collections.Immutable;
using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Matching;
using ThreadExporter.Roles;

namespace ThreadExporter.Settings;

/// <summary>The result of loading the configuration.</summary>
/// <param name="StartedAt">CLOCK_MONOTONIC nanoseconds just before the file was read: the result covers every request made earlier.</param>
/// <param name="Errors">Empty: the new configuration is active.</param>
/// <param name="RestartKeys">Changed keys that take effect at the next restart.</param>
internal sealed record ReloadResult(long StartedAt, ImmutableArray<ConfigError> Errors, ImmutableArray<string> RestartKeys)
{
    public bool Succeeded => Errors.IsEmpty;

    /// <summary>Identity of the file that was read; the file watcher compares the current one with it.</summary>
    public FileIdentity File { get; init; }

    /// <summary>No file exists and none was in use before: the defaults apply.</summary>
    public bool IsWithoutFile { get; init; }
}

/// <summary>Holds the active configuration and reloads it: read, parse, validate, compile, swap one reference.</summary>
internal sealed class ConfigHolder
{
    private readonly ConfigOverrides _overrides;
    private readonly ExporterConfig _started;
    private readonly UserDirectory _users;
    private readonly ImmutableArray<string> _roleFolders;
    private volatile ConfigSnapshot _current;
    private volatile ReloadResult _last;
    private bool _mayBeEmpty;
    private volatile bool _isWithoutFile;

    private ConfigHolder(
        string? path, ConfigOverrides overrides, UserDirectory users, ImmutableArray<string> roleFolders, ConfigSnapshot snapshot, ReloadResult result)
    {
        (Path, _overrides, _users, _roleFolders, _current, _last) = (path, overrides, users, roleFolders, snapshot, result);
        _started = snapshot.Config;
        _mayBeEmpty = result.File.Size == 0;
        _isWithoutFile = result.IsWithoutFile;
    }

    public ConfigSnapshot Current => _current;

    public ReloadResult Last => _last;

    /// <summary>The file that each load reads. It may be missing when it is the default path. Null: no file.</summary>
    public string? Path { get; }

    /// <summary>Source of the active configuration, for messages.</summary>
    public string DisplayPath => !_isWithoutFile ? Path! : Path is null ? "(no configuration file)" : $"(no configuration file at {Path})";

    /// <summary>The first load. Null when the configuration is invalid.</summary>
    /// <param name="path">The file; null: none.</param>
    /// <param name="mayBeMissing">Whether the defaults apply when the file does not exist.</param>
    /// <param name="overrides">Values from flags and environment variables.</param>
    /// <param name="loaded">What was read: its errors, and its <c>[log]</c> settings to report them with.</param>
    /// <param name="userTimeout">Maximum wait for user lookups; default <see cref="Matcher.Timeout"/>.</param>
    /// <param name="roleFolders">
    /// The folders of the role files, <see cref="RoleFolders.Default"/>; default: none. At the first load a file with errors is left out, because
    /// a daemon can do its work without it.
    /// </param>
    public static ConfigHolder? Load(
        string? path, bool mayBeMissing, ConfigOverrides overrides, out ConfigResult loaded, TimeSpan? userTimeout = null, ImmutableArray<string> roleFolders = default)
    {
        roleFolders = roleFolders.IsDefault ? [] : roleFolders;
        UserDirectory users = new();
        long startedAt = Clocks.MonotonicNanoseconds();
        loaded = ConfigLoader.Load(path, overrides, mayBeMissing);
        (ConfigSnapshot? snapshot, ReloadResult result) = Compile(loaded, RoleCatalog.Load(roleFolders), startedAt, started: null, users, userTimeout ?? Matcher.Timeout);
        return snapshot is null ? null : new ConfigHolder(path, overrides, users, roleFolders, snapshot, result);
    }

    /// <summary>
    /// Loads the file and the role files again; on any error the active configuration and roles stay. An empty file is an error when the active configuration
    /// came from a non-empty file: an editor that truncates before it writes must not disable everything. A missing file is an error
    /// when the active configuration came from a file. Called only by the reload service.
    /// </summary>
    public ReloadResult Reload()
    {
        long startedAt = Clocks.MonotonicNanoseconds();
        try
        {
            ConfigResult loaded = ConfigLoader.Load(Path, _overrides, mayBeMissing: _isWithoutFile, _mayBeEmpty);
            RoleCatalog roles = RoleCatalog.Load(_roleFolders);
            if (!roles.Errors.IsEmpty)
                loaded = loaded with { Config = null, Errors = [.. loaded.Errors, .. roles.Errors] };
            (ConfigSnapshot? snapshot, ReloadResult result) = Compile(loaded, roles, startedAt, _started, _users, Matcher.Timeout);
            if (snapshot is not null)
            {
                _current = snapshot;
                _mayBeEmpty = result.File.Size == 0;
                _isWithoutFile = result.IsWithoutFile;
            }
            return _last = result;
        }
        // A bug in reading a file must not end a working daemon: the reload fails.
        catch (Exception e)
        {
            return _last = new ReloadResult(startedAt, [new ConfigError(Path ?? DisplayPath, default, "", $"internal error, please report it: {e}")], [])
            {
                File = Path is null ? default : FileIdentity.Read(Path),
            };
        }
    }

    private static (ConfigSnapshot?, ReloadResult) Compile(
        ConfigResult loaded, RoleCatalog roles, long startedAt, ExporterConfig? started, UserDirectory users, TimeSpan userTimeout)
    {
        if (loaded.Config is not { } config)
            return (null, new ReloadResult(startedAt, loaded.Errors, []) { File = loaded.File });
        ConfigSnapshot snapshot = new(config, Matcher.Compile(config.Filters, users, userTimeout), DateTimeOffset.UtcNow, loaded.Tls) { Roles = roles };
        return (snapshot, new ReloadResult(startedAt, [], started is null ? [] : ConfigKeys.ChangedAtRestart(started, config))
        {
            File = loaded.File,
            IsWithoutFile = loaded.IsWithoutFile,
        });
    }
}
