using ThreadExporter.Configuration;
using ThreadExporter.Matching;
using ThreadExporter.Roles;

namespace ThreadExporter.Settings;

/// <summary>A configuration and what was compiled from it. A reload replaces it as a whole.</summary>
/// <param name="Config">The configuration.</param>
/// <param name="Matcher">Its filters, compiled.</param>
/// <param name="LoadedAt">Load time.</param>
/// <param name="Tls">Contents of the <c>[web.tls]</c> files at that time; null without TLS.</param>
internal sealed record ConfigSnapshot(ExporterConfig Config, Matcher Matcher, DateTimeOffset LoadedAt, TlsFiles? Tls = null)
{
    /// <summary>The roles of known threads.</summary>
    public RoleCatalog Roles { get; init; } = RoleCatalog.Empty;

    /// <summary>Null, or a warning about the certificate's dates, which are not an error (docs/decisions/0009).</summary>
    public string? TlsWarning => Tls?.GetDateError(LoadedAt.UtcDateTime) is { } error ? $"{TlsFiles.CertKey}: {error}" : null;
}
