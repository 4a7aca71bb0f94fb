using ThreadExporter.Configuration;
using ThreadExporter.Matching;

namespace ThreadExporter.Settings;

/// <summary>A configuration and what was compiled from it: the one reference that a reload swaps.</summary>
/// <param name="Config">The configuration.</param>
/// <param name="Matcher">Its rules, compiled.</param>
/// <param name="LoadedAt">When it was loaded.</param>
/// <param name="Tls">What the files of <c>[web.tls]</c> held then; null without TLS.</param>
internal sealed record ConfigSnapshot(ExporterConfig Config, Matcher Matcher, DateTimeOffset LoadedAt, TlsFiles? Tls = null)
{
    /// <summary>Null, or what a person should know of the certificate although it is no error (docs/decisions/0009).</summary>
    public string? TlsWarning => Tls?.GetDateError(LoadedAt.UtcDateTime) is { } fault ? $"{TlsFiles.CertKey}: {fault}" : null;
}
