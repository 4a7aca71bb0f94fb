using System.Collections.Immutable;
using System.Text.RegularExpressions;
using ThreadExporter.Linux;
using ThreadExporter.Text;
using ThreadExporter.Toml;

namespace ThreadExporter.Configuration;

/// <summary>One validated configuration. Immutable: a reload builds a new one and swaps the reference.</summary>
internal sealed record ExporterConfig
{
    /// <summary>The filters in the order of the file: the first one that matches owns the process.</summary>
    public ImmutableArray<FilterConfig> Filters { get; init; } = [];
    public WebConfig Web { get; init; } = new();
    public CollectorConfig Collector { get; init; } = new();
    public SamplerConfig Sampler { get; init; } = new();
    public RecorderConfig Recorder { get; init; } = new();
    public LogConfig Log { get; init; } = new();
}

/// <summary>One <c>[[filter]]</c>. Every key that is set must match; other keys are empty or null.</summary>
internal sealed record FilterConfig
{
    /// <summary>Label <c>filter</c> of the exporter's own metrics; unique among the filters.</summary>
    public required string Name { get; init; }
    /// <summary>Short form <c>match</c>: a process matches when its name or its pid is listed.</summary>
    public ImmutableArray<string> MatchNames { get; init; } = [];
    public ImmutableArray<int> MatchPids { get; init; } = [];
    public ImmutableArray<string> Comm { get; init; } = [];
    public Regex? Cmdline { get; init; }
    public ImmutableArray<string> Exe { get; init; } = [];
    public ImmutableArray<string> User { get; init; } = [];
    public ImmutableArray<string> Unit { get; init; } = [];
    public ImmutableArray<string> Cgroup { get; init; } = [];
    public ImmutableArray<int> Pid { get; init; } = [];
    public string? PidFile { get; init; }
    public bool Children { get; init; }
    /// <summary>Its processes with the same <c>daemon</c>, <c>pname</c> and labels share one set of series.</summary>
    public bool Group { get; init; }
    /// <summary>Label <c>daemon</c>: the first group of this regex on the command line.</summary>
    public Regex? Daemon { get; init; }
    /// <summary>Any of <see cref="LabelNames"/>, in that order.</summary>
    public ImmutableArray<string> Labels { get; init; } = [];
    public ThreadsConfig Threads { get; init; } = new();

    /// <summary>The labels that key <c>labels</c> may add, in the order in which they are shown.</summary>
    public static ImmutableArray<string> LabelNames { get; } = ["unit", "container_id", "pod_uid"];
}

/// <summary><c>[filter.threads]</c>: how much of a process's threads is shown.</summary>
internal sealed record ThreadsConfig
{
    public ThreadDetail Detail { get; init; } = ThreadDetail.Tid;
    public bool FoldDigits { get; init; }
    public ImmutableArray<string> Include { get; init; } = ["*"];
    public ImmutableArray<string> Exclude { get; init; } = [];
    public int Top { get; init; }
}

internal enum ThreadDetail
{
    Tid,
    Name,
    None,
}

/// <summary><c>[web]</c>.</summary>
internal sealed record WebConfig
{
    public ImmutableArray<string> Listen { get; init; } = [":9199"];
    public string TelemetryPath { get; init; } = "/metrics";
    public int MaxRequests { get; init; } = 40;
    public bool EnableLifecycle { get; init; }
    public bool WatchConfig { get; init; }
    public bool Pages { get; init; } = true;
    public TlsConfig Tls { get; init; } = new();
    /// <summary>User name to password hash (<see cref="Crypt"/>). The hashes are secrets: no error, log or page shows them.</summary>
    public ImmutableDictionary<string, string> BasicAuthUsers { get; init; } = ImmutableDictionary.Create<string, string>(StringComparer.Ordinal);
}

/// <summary><c>[web.tls]</c>: names and values as in Prometheus's exporter-toolkit.</summary>
internal sealed record TlsConfig
{
    /// <summary>TLS is used: certificate and key are both set, or neither is.</summary>
    public bool IsOn => CertFile.Length > 0;
    public bool RequestsClientCertificates => ClientAuthType != ClientAuthType.NoClientCert;
    public bool VerifiesClientCertificates => ClientAuthType is ClientAuthType.VerifyClientCertIfGiven or ClientAuthType.RequireAndVerifyClientCert;
    public string CertFile { get; init; } = "";
    public string KeyFile { get; init; } = "";
    public ClientAuthType ClientAuthType { get; init; } = ClientAuthType.NoClientCert;
    public string ClientCaFile { get; init; } = "";
    public TlsVersion MinVersion { get; init; } = TlsVersion.Tls12;
}

/// <summary><c>web.tls.client_auth_type</c>: whether a client needs a certificate. Names and meanings as in Go's crypto/tls.</summary>
internal enum ClientAuthType
{
    /// <summary>No certificate is requested.</summary>
    NoClientCert,
    /// <summary>One is requested, none is needed, and any is accepted.</summary>
    RequestClientCert,
    /// <summary>One is needed, and any is accepted.</summary>
    RequireAnyClientCert,
    /// <summary>None is needed, but one that is given must be valid.</summary>
    VerifyClientCertIfGiven,
    /// <summary>A valid one is needed.</summary>
    RequireAndVerifyClientCert,
}

/// <summary><c>web.tls.min_version</c>.</summary>
internal enum TlsVersion
{
    Tls12,
    Tls13,
}

/// <summary><c>[collector]</c>.</summary>
internal sealed record CollectorConfig
{
    /// <summary><c>auto</c>: /host/proc when a procfs is mounted there, else /proc.</summary>
    public string Procfs { get; init; } = "auto";
    /// <summary><c>auto</c>: /host/sys/fs/cgroup when that is there, else /sys/fs/cgroup; <c>off</c>: no cgroup series.</summary>
    public string Cgroupfs { get; init; } = "auto";
    public TimeSpan RescanInterval { get; init; } = TimeSpan.FromSeconds(5);
    public TimeSpan RefreshInterval { get; init; } = TimeSpan.FromSeconds(60);
    public int MaxThreads { get; init; } = 20_000;
    public int MaxSamples { get; init; } = 200_000;
    public int MaxDescriptors { get; init; } = 10_000;
    public ExtendedKinds Extended { get; init; }
    public ExitsMode Exits { get; init; }
    /// <summary>The hot page names the unwatched processes that have the CPUs.</summary>
    public bool Neighbours { get; init; } = true;
}

/// <summary><c>collector.exits</c>: whether exit records are used.</summary>
internal enum ExitsMode
{
    /// <summary>When they are available.</summary>
    Auto,
    /// <summary>The same, with a warning when they are not.</summary>
    On,
    Off,
}

/// <summary><c>collector.extended</c>: the extended counters of each thread.</summary>
[Flags]
internal enum ExtendedKinds
{
    None = 0,
    ContextSwitches = 1,
    Faults = 2,
    Io = 4,
    LastCpu = 8,
}

/// <summary><c>[sampler]</c>.</summary>
internal sealed record SamplerConfig
{
    public bool Enabled { get; init; } = true;
    public TimeSpan Interval { get; init; } = TimeSpan.FromMilliseconds(100);
    public double Saturation { get; init; } = 0.9;
    public TimeSpan PeakWindow { get; init; } = TimeSpan.FromSeconds(60);
    public double CpuBudget { get; init; } = 0.02;
}

/// <summary><c>[recorder]</c>.</summary>
internal sealed record RecorderConfig
{
    public bool Enabled { get; init; } = true;
    /// <summary>An absolute path; <c>auto</c>: the directory that systemd provides, if any.</summary>
    public string Directory { get; init; } = "auto";
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(5);
    public TimeSpan Keep { get; init; } = TimeSpan.FromHours(24);
    public long MaxSize { get; init; } = 64L * 1024 * 1024;
}

/// <summary><c>[log]</c>.</summary>
internal sealed record LogConfig
{
    public LogLevel Level { get; init; } = LogLevel.Information;
    public JournalMode Journal { get; init; } = JournalMode.Auto;
    /// <summary>Path of the log file; <c>auto</c>: in the directory that systemd provides, if any; empty: no file.</summary>
    public string File { get; init; } = "auto";
    public long FileMaxSize { get; init; } = 10L * 1024 * 1024;
    public int FileKeep { get; init; } = 5;
    public LogFormat Format { get; init; } = LogFormat.Text;
}

internal enum JournalMode
{
    /// <summary>The journal when stderr is the journal, else stdout.</summary>
    Auto,
    Always,
    Never,
}

internal enum LogFormat
{
    Text,
    Json,
}

/// <summary>One error of a configuration file. <see cref="ToString"/> is the line that the user sees.</summary>
/// <param name="File">The file's path as given.</param>
/// <param name="Position">1-based line and column.</param>
/// <param name="Key">The dotted key, or empty. Pages show it in place of the message, which may quote a value.</param>
/// <param name="Message">What is wrong, and what a correct value is.</param>
internal sealed record ConfigError(string File, TomlPosition Position, string Key, string Message)
{
    public override string ToString() =>
        Printable.Of(Position.Line > 0 ? $"{File}:{Position.Line}:{Position.Column}: {Message}" : $"{File}: {Message}");
}
