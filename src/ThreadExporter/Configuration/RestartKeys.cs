using System.Collections.Immutable;

namespace ThreadExporter.Configuration;

/// <summary>The keys that a reload does not take, as the configurations hold them.</summary>
internal static class RestartKeys
{
    private static readonly ImmutableArray<(string Key, Func<ExporterConfig, object> Value)> Values =
    [
        ("web.listen", c => string.Join('\n', c.Web.Listen)),
        ("web.telemetry_path", c => c.Web.TelemetryPath),
        ("web.watch_config", c => c.Web.WatchConfig),
        ("collector.procfs", c => c.Collector.Procfs),
        ("log.journal", c => c.Log.Journal),
        ("log.file", c => c.Log.File),
        ("log.file_max_size", c => c.Log.FileMaxSize),
        ("log.file_keep", c => c.Log.FileKeep),
        ("log.format", c => c.Log.Format),
    ];

    // A reload takes another certificate; but whether TLS is spoken at all is decided where the server begins to listen.
    private static readonly (string Key, Func<ExporterConfig, object> Value) TlsSwitch = ("web.tls.cert_file", c => c.Web.Tls.IsOn);

    public static IEnumerable<string> All => Values.Select(v => v.Key);

    /// <summary>The keys whose new value waits for a restart.</summary>
    public static ImmutableArray<string> Changed(ExporterConfig running, ExporterConfig loaded) =>
        [.. Values.Append(TlsSwitch).Where(v => !v.Value(running).Equals(v.Value(loaded))).Select(v => v.Key)];
}
