using System.Collections.Immutable;

namespace ThreadExporter.Configuration;

/// <summary>One key of the configuration file.</summary>
/// <param name="Name">Dotted, as in errors: <c>web.listen</c>. A key of a <c>[[filter]]</c> starts with <c>filter.</c></param>
/// <param name="Type">The type of its value, in words.</param>
/// <param name="Default">The default as TOML, or empty when no value is equivalent to leaving the key out.</param>
/// <param name="NeedsRestart">A reload does not apply it.</param>
/// <param name="Help">One line, the same in the shipped file and in docs/configuration.md.</param>
/// <param name="FixedValue">The value, or the part of it, that only a restart changes; null: a reload changes all of it.</param>
internal sealed record ConfigKey(string Name, string Type, string Default, bool NeedsRestart, string Help, Func<ExporterConfig, object>? FixedValue)
{
    /// <summary>The table that it belongs to, dotted; empty for none.</summary>
    public string Table => Name.Contains('.', StringComparison.Ordinal) ? Name[..Name.LastIndexOf('.')] : "";

    public string LastName => Name[(Name.LastIndexOf('.') + 1)..];
}

/// <summary>Every key, in the order of the shipped file. Tests compare the loader, that file, the docs and the man page with it.</summary>
internal static class ConfigKeys
{
    private const string Globs = "glob or list of globs";
    private const string Regex = "regular expression";

    public static ImmutableArray<ConfigKey> All { get; } =
    [
        Reload("filter.match", "string", "", "Short form: names (globs) as in /proc/PID/comm and pids, comma-separated; any of them matches"),
        Reload("filter.name", "string", "", "Label `filter` of the exporter's own metrics, unique; default: the filter's text"),
        Reload("filter.comm", Globs, "", "The process's name as in /proc/PID/comm; a literal name also matches by its first 15 bytes"),
        Reload("filter.cmdline", Regex, "", "Found anywhere in the command line, its arguments joined by blanks"),
        Reload("filter.exe", Globs, "", "The target of /proc/PID/exe; needs the same user or CAP_SYS_PTRACE"),
        Reload("filter.user", "name or uid, or a list of them", "", "The effective user"),
        Reload("filter.unit", Globs, "", "The systemd unit, a component of the path in /proc/PID/cgroup"),
        Reload("filter.cgroup", Globs, "", "The whole path in /proc/PID/cgroup, without a leading /.."),
        Reload("filter.pid", "integer or list of integers", "", "The process id, from 1 to 4194304"),
        Reload("filter.pidfile", "absolute path", "", "A file that starts with the process id"),
        Reload("filter.children", "boolean", "false", "Take along all descendants of a process that matches"),
        Reload("filter.daemon", Regex, "", "Label `daemon` is its first group on the command line; default: Ceph's own names, else comm"),
        Reload("filter.group", "boolean", "false", "All processes of the filter that have the same daemon, pname and labels share one set of series"),
        Reload("filter.labels", "list of strings", "[]", "Labels added to the series of its processes, where they are known: \"unit\", \"container_id\", \"pod_uid\""),

        Reload("filter.threads.detail", "string", "\"tid\"", "Series per thread (\"tid\"), per thread name (\"name\") or for the process only (\"none\")"),
        Reload("filter.threads.fold_digits", "boolean", "false", "Show worker-12 as worker-*"),
        Reload("filter.threads.include", Globs, "[\"*\"]", "Thread names that are shown; the others are folded into one sum"),
        Reload("filter.threads.exclude", Globs, "[]", "Thread names that are folded although included"),
        Reload("filter.threads.top", "integer", "0", "Show only the N threads of a process with the most recent CPU use; 0 shows all"),

        Restart("web.listen", "address or list of addresses", "[\":9199\"]", "Addresses to listen on: \":PORT\", \"IPV4:PORT\", \"[IPV6]:PORT\" or \"NAME:PORT\"",
            c => string.Join('\n', c.Web.Listen)),
        Restart("web.telemetry_path", "string", "\"/metrics\"", "Path of the metrics",
            c => c.Web.TelemetryPath),
        Reload("web.max_requests", "integer", "40", "Requests served at once; beyond it the answer is 503"),
        Reload("web.enable_lifecycle", "boolean", "false", "Allow POST /-/reload"),
        Restart("web.watch_config", "boolean", "false", "Reload when the file changes",
            c => c.Web.WatchConfig),
        Reload("web.pages", "boolean", "true", "Serve the landing page, /hot and /api"),

        // A reload takes another certificate. Whether TLS is used at all is decided when the server starts to listen.
        Reload("web.tls.cert_file", "absolute path", "\"\"", "Certificate chain, PEM; empty: no TLS. Switching TLS on or off needs a restart",
            c => c.Web.Tls.IsOn),
        Reload("web.tls.key_file", "absolute path", "\"\"", "Private key, PEM"),
        Reload("web.tls.client_auth_type", "string", "\"NoClientCert\"",
            "\"NoClientCert\", \"RequestClientCert\", \"RequireAnyClientCert\", \"VerifyClientCertIfGiven\" or \"RequireAndVerifyClientCert\""),
        Reload("web.tls.client_ca_file", "absolute path", "\"\"", "Authorities that client certificates are verified against, PEM"),
        Reload("web.tls.min_version", "string", "\"TLS12\"", "\"TLS12\" or \"TLS13\""),

        Reload("web.basic_auth_users", "table of strings", "{}", "User names and password hashes as `htpasswd -nB` prints them; empty: no authentication"),

        Restart("collector.procfs", "absolute path or \"auto\"", "\"auto\"", "Where procfs is mounted; \"auto\": /host/proc when that is there, else /proc",
            c => c.Collector.Procfs),
        Restart("collector.cgroupfs", "absolute path, \"auto\" or \"off\"", "\"auto\"", "Where the cgroup file system is mounted, for the CPU limits and throttling of cgroups; \"auto\": /host/sys/fs/cgroup when that is there, else /sys/fs/cgroup",
            c => c.Collector.Cgroupfs),
        Reload("collector.rescan_interval", "duration", "\"5s\"", "How often processes that did not match are looked at again"),
        Reload("collector.refresh_interval", "duration", "\"60s\"", "How old a thread's name and state may become while it uses no CPU"),
        Reload("collector.max_threads", "integer", "20000", "Most threads that are shown, those with the most recent CPU use"),
        Reload("collector.max_samples", "integer", "200000", "Samples per scrape at most; beyond it detail is lowered"),
        Reload("collector.max_descriptors", "integer", "10000", "File descriptors kept open at most, one per thread"),
        Reload("collector.extended", "list of strings", "[]", "More metrics per thread: \"context_switches\", \"faults\", \"io\", \"last_cpu\""),
        Reload("collector.exits", "string", "\"auto\"", "Names for threads that exit between scrapes, from the kernel's exit records: \"auto\" (when CAP_NET_ADMIN is there), \"on\" or \"off\""),
        Reload("collector.neighbours", "boolean", "true", "While the hot page is in use, name the processes that have the rest of the host's CPU time"),

        Reload("sampler.enabled", "boolean", "true", "Look between scrapes for threads that saturate a core"),
        Reload("sampler.interval", "duration", "\"100ms\"", "Length of a window"),
        Reload("sampler.saturation", "float", "0.9", "Share of a core from which a window counts as saturated"),
        Reload("sampler.peak_window", "duration", "\"60s\"", "How long a peak is remembered"),
        Reload("sampler.cpu_budget", "float", "0.02", "Share of a core that the sampler may use; beyond it its windows become longer"),

        Reload("recorder.enabled", "boolean", "true", "Keep the hottest threads of each interval, to look at them later"),
        Restart("recorder.directory", "absolute path or \"auto\"", "\"auto\"", "Where the database is; \"auto\": the directory that systemd gives (STATE_DIRECTORY), else nothing is recorded",
            c => c.Recorder.Directory),
        Reload("recorder.interval", "duration", "\"5s\"", "Length of an interval"),
        Reload("recorder.keep", "duration", "\"24h\"", "How much recorded time is kept"),
        Reload("recorder.max_size", "size", "\"64MiB\"", "Size of the database at most; beyond it the oldest intervals are deleted"),

        Reload("log.level", "string", "\"info\"", "\"trace\", \"debug\", \"info\", \"warn\", \"error\" or \"critical\""),
        Restart("log.journal", "string", "\"auto\"", "Log to the journal: \"auto\" (when stderr is the journal, else to stdout), \"always\" or \"never\"",
            c => c.Log.Journal),
        Restart("log.file", "absolute path or \"auto\"", "\"auto\"", "Log to this file as well; \"auto\": thread-exporter.log in the directory that systemd gives (LOGS_DIRECTORY), else none; empty: none",
            c => c.Log.File),
        Restart("log.file_max_size", "size", "\"10MiB\"", "Size from which the file is rotated",
            c => c.Log.FileMaxSize),
        Restart("log.file_keep", "integer", "5", "Rotated files that are kept",
            c => c.Log.FileKeep),
        Restart("log.format", "string", "\"text\"", "Format on stdout and in the file: \"text\" or \"json\"",
            c => c.Log.Format),
    ];

    /// <summary>The names of keys and tables that a table may contain (empty: the top level).</summary>
    public static IEnumerable<string> NamesIn(string table)
    {
        string prefix = table.Length == 0 ? "" : table + ".";
        return All.Where(k => k.Name.StartsWith(prefix, StringComparison.Ordinal)).Select(k => k.Name[prefix.Length..].Split('.')[0]).Distinct();
    }

    /// <summary>The keys whose new value waits for a restart.</summary>
    public static ImmutableArray<string> ChangedAtRestart(ExporterConfig running, ExporterConfig loaded) =>
        [.. All.Where(k => k.FixedValue is { } value && !value(running).Equals(value(loaded))).Select(k => k.Name)];

    private static ConfigKey Reload(string name, string type, string @default, string help, Func<ExporterConfig, object>? fixedValue = null) =>
        new(name, type, @default, NeedsRestart: false, help, fixedValue);

    private static ConfigKey Restart(string name, string type, string @default, string help, Func<ExporterConfig, object> fixedValue) =>
        new(name, type, @default, NeedsRestart: true, help, fixedValue);
}
