using ThreadExporter.Configuration;
using ThreadExporter.Matching;

namespace ThreadExporter.Collection;

/// <summary>A configuration and what was compiled from it: the one reference that a reload swaps.</summary>
internal sealed record ConfigSnapshot(ExporterConfig Config, Matcher Matcher, DateTimeOffset LoadedAt);
