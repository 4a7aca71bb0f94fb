using System.Collections.Immutable;
using ThreadExporter.Toml;

namespace ThreadExporter.Configuration;

/// <summary>Reads tables into the configuration records: every key, its type, its bounds. The defaults are those of the records.</summary>
internal static class ConfigReader
{
    private const int Million = 1_000_000;

    public static readonly ImmutableArray<(string Text, LogLevel Value)> LogLevels =
    [
        ("trace", LogLevel.Trace),
        ("debug", LogLevel.Debug),
        ("info", LogLevel.Information),
        ("warn", LogLevel.Warning),
        ("error", LogLevel.Error),
        ("critical", LogLevel.Critical),
    ];

    private static readonly ImmutableArray<(string Text, ClientAuthType Value)> ClientAuthTypes =
    [
        ("NoClientCert", ClientAuthType.NoClientCert),
        ("RequestClientCert", ClientAuthType.RequestClientCert),
        ("RequireAnyClientCert", ClientAuthType.RequireAnyClientCert),
        ("VerifyClientCertIfGiven", ClientAuthType.VerifyClientCertIfGiven),
        ("RequireAndVerifyClientCert", ClientAuthType.RequireAndVerifyClientCert),
    ];

    private static readonly ImmutableArray<(string Text, ExtendedKinds Value)> Extended =
    [
        ("context_switches", ExtendedKinds.ContextSwitches),
        ("faults", ExtendedKinds.Faults),
        ("io", ExtendedKinds.Io),
        ("last_cpu", ExtendedKinds.LastCpu),
    ];

    public static ExporterConfig Read(TomlTable root, string file, List<ConfigError> errors)
    {
        TableReader reader = new(root, "", file, errors);
        ExporterConfig config = new()
        {
            Filters = FilterReader.Read(root, file, errors),
            Web = ReadWeb(reader.Table("web")),
            Collector = ReadCollector(reader.Table("collector")),
            Sampler = ReadSampler(reader.Table("sampler")),
            Recorder = ReadRecorder(reader.Table("recorder")),
            Log = ReadLog(reader.Table("log")),
        };
        reader.Finish();
        return config;
    }

    private static WebConfig ReadWeb(TableReader reader)
    {
        WebConfig defaults = new();
        WebConfig web = new()
        {
            Listen = reader.Strings("listen", defaults.Listen, ConfigText.GetListenError),
            TelemetryPath = reader.String("telemetry_path", defaults.TelemetryPath, ConfigText.GetTelemetryPathError),
            MaxRequests = reader.Integer("max_requests", defaults.MaxRequests, 1, 10_000),
            EnableLifecycle = reader.Boolean("enable_lifecycle", defaults.EnableLifecycle),
            WatchConfig = reader.Boolean("watch_config", defaults.WatchConfig),
            Pages = reader.Boolean("pages", defaults.Pages),
            Tls = ReadTls(reader.Table("tls")),
            BasicAuthUsers = ReadUsers(reader.Table("basic_auth_users")),
        };
        reader.Finish();
        return web;
    }

    private static TlsConfig ReadTls(TableReader reader)
    {
        TlsConfig defaults = new();
        TlsConfig tls = new()
        {
            CertFile = reader.Path("cert_file", defaults.CertFile),
            KeyFile = reader.Path("key_file", defaults.KeyFile),
            ClientAuthType = reader.Choice("client_auth_type", defaults.ClientAuthType, ClientAuthTypes),
            ClientCaFile = reader.Path("client_ca_file", defaults.ClientCaFile),
            MinVersion = reader.Choice("min_version", defaults.MinVersion, [("TLS12", TlsVersion.Tls12), ("TLS13", TlsVersion.Tls13)]),
        };
        CheckTls(reader, tls);
        reader.Finish();
        return tls;
    }

    // Rejects settings that would silently be less secure than they look.
    private static void CheckTls(TableReader reader, TlsConfig tls)
    {
        const string CertFile = "cert_file", KeyFile = "key_file", AuthType = "client_auth_type", CaFile = "client_ca_file";
        if (tls.IsOn && reader.IsDefault(KeyFile, ""))
            Needs(CertFile, KeyFile);
        if (reader.IsDefault(CertFile, ""))
        {
            if (tls.KeyFile.Length > 0)
                Needs(KeyFile, CertFile);
            if (tls.RequestsClientCertificates)
                Needs(AuthType, CertFile);
            if (tls.ClientCaFile.Length > 0)
                Needs(CaFile, CertFile);
        }
        else if (tls.VerifiesClientCertificates && reader.IsDefault(CaFile, ""))
        {
            Needs(AuthType, CaFile);
        }
        else if (tls.ClientCaFile.Length > 0 && reader.IsDefault(AuthType, "NoClientCert"))
        {
            Report(CaFile, "has no effect without web.tls.client_auth_type: set it to \"RequireAndVerifyClientCert\"");
        }

        void Needs(string key, string other) => Report(key, $"needs {reader.Name(other)} too");
        void Report(string key, string error) => reader.Error(reader.PositionOf(key), reader.Name(key), $"{reader.Name(key)} {error}");
    }

    // No message may contain a value: the values are password hashes, or passwords by mistake.
    private static ImmutableDictionary<string, string> ReadUsers(TableReader reader)
    {
        const string Table = "web.basic_auth_users";
        ImmutableDictionary<string, string>.Builder users = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (TomlEntry entry in reader.Entries)
        {
            string name = $"{Table}.{ConfigText.Key(entry.Key)}";
            if (entry.Key.Length == 0 || entry.Key.Contains(':', StringComparison.Ordinal))
                reader.Error(entry.KeyPosition, name, $"{name} is not a valid user name: it must not be empty or contain a colon (RFC 7617)");
            else if (entry.Value is TomlTable)
                reader.Error(entry.KeyPosition, name, $"{name} is a table: a user name with a dot must be quoted");
            else if (entry.Value is not TomlString hash)
                reader.Error(entry.Value.Position, name, $"{name} must be a string, not {entry.Value.TypeName}");
            else if (PasswordHash.GetHashError(hash.Value) is { } error)
                reader.Error(entry.Value.Position, name, $"{name} {error}");
            else
                users[entry.Key] = hash.Value;
        }
        return users.ToImmutable();
    }

    private static CollectorConfig ReadCollector(TableReader reader)
    {
        CollectorConfig defaults = new();
        CollectorConfig collector = new()
        {
            Procfs = reader.Path("procfs", defaults.Procfs),
            Cgroupfs = reader.String("cgroupfs", defaults.Cgroupfs, static text => text is "auto" or "off" ? null : ConfigText.GetPathError(text)),
            RescanInterval = reader.Duration("rescan_interval", defaults.RescanInterval, "100ms", "1h"),
            RefreshInterval = reader.Duration("refresh_interval", defaults.RefreshInterval, "1s", "1h"),
            MaxThreads = reader.Integer("max_threads", defaults.MaxThreads, 1, 10 * Million),
            MaxSamples = reader.Integer("max_samples", defaults.MaxSamples, 1, 100 * Million),
            MaxDescriptors = reader.Integer("max_descriptors", defaults.MaxDescriptors, 0, 10 * Million),
            Extended = ReadExtended(reader, defaults.Extended),
            Exits = reader.Choice("exits", defaults.Exits, [("auto", ExitsMode.Auto), ("on", ExitsMode.On), ("off", ExitsMode.Off)]),
            Neighbours = reader.Boolean("neighbours", defaults.Neighbours),
        };
        reader.Finish();
        return collector;
    }

    private static ExtendedKinds ReadExtended(TableReader reader, ExtendedKinds kinds)
    {
        foreach (string name in reader.Strings("extended", [], OneOf([.. Extended.Select(e => e.Text)]), mayBeEmpty: true))
            kinds |= Extended.First(e => e.Text == name).Value;
        return kinds;
    }

    private static SamplerConfig ReadSampler(TableReader reader)
    {
        SamplerConfig defaults = new();
        SamplerConfig sampler = new()
        {
            Enabled = reader.Boolean("enabled", defaults.Enabled),
            Interval = reader.Duration("interval", defaults.Interval, "10ms", "10s"),
            Saturation = reader.Fraction("saturation", defaults.Saturation),
            PeakWindow = reader.Duration("peak_window", defaults.PeakWindow, "1s", "1h"),
            CpuBudget = reader.Fraction("cpu_budget", defaults.CpuBudget),
        };
        reader.Finish();
        return sampler;
    }

    private static RecorderConfig ReadRecorder(TableReader reader)
    {
        RecorderConfig defaults = new();
        RecorderConfig recorder = new()
        {
            Enabled = reader.Boolean("enabled", defaults.Enabled),
            Directory = reader.Path("directory", defaults.Directory),
            Interval = reader.Duration("interval", defaults.Interval, "1s", "5m"),
            Keep = reader.Duration("keep", defaults.Keep, "1m", "744h"),
            MaxSize = reader.Size("max_size", defaults.MaxSize, "1MiB", "10GiB"),
        };
        reader.Finish();
        return recorder;
    }

    private static LogConfig ReadLog(TableReader reader)
    {
        LogConfig defaults = new();
        LogConfig log = new()
        {
            // Other programs write "warning".
            Level = reader.Choice("level", defaults.Level, [.. LogLevels], ("warning", LogLevel.Warning)),
            Journal = reader.Choice(
                "journal", defaults.Journal, [("auto", JournalMode.Auto), ("always", JournalMode.Always), ("never", JournalMode.Never)]),
            File = reader.String("file", defaults.File, text => text is "auto" or "" ? null : ConfigText.GetPathError(text)),
            FileMaxSize = reader.Size("file_max_size", defaults.FileMaxSize, "4KiB", "1024GiB"),
            FileKeep = reader.Integer("file_keep", defaults.FileKeep, 0, 1000),
            Format = reader.Choice("format", defaults.Format, [("text", LogFormat.Text), ("json", LogFormat.Json)]),
        };
        reader.Finish();
        return log;
    }

    private static Func<string, string?> OneOf(params ImmutableArray<string> known) =>
        text => known.Contains(text) ? null : TableReader.InvalidChoice(text, known);
}
