using System.Numerics;
using ThreadExporter.Configuration;

namespace ThreadExporter.Series;

/// <summary>How many samples a scrape has, so that <c>max_samples</c> can be kept to. A test holds it against the exposition.</summary>
internal static class SampleBudget
{
    /// <summary>The daemon's own, the sample per filter aside.</summary>
    public const int Self = 40;

    /// <summary>With the seven states that are always shown.</summary>
    public const int PerProcess = 14;

    /// <summary>With the number of threads, which only a group has.</summary>
    public static int PerSeries(ExporterConfig config, bool hasSchedInfo) =>
        (!hasSchedInfo ? 4 : config.Sampler.Enabled ? 8 : 6) + Extended(config.Collector.Extended);

    /// <summary>How many thread series <c>max_samples</c> leaves room for.</summary>
    public static int SeriesWithin(ExporterConfig config, bool hasSchedInfo, int processes) =>
        Math.Max(0, config.Collector.MaxSamples - Self - config.Filters.Length - processes * PerProcess) / PerSeries(config, hasSchedInfo);

    // Two counters each, but for the CPU.
    private static int Extended(ExtendedKinds kinds) =>
        2 * BitOperations.PopCount((uint)(kinds & ~ExtendedKinds.LastCpu)) + ((kinds & ExtendedKinds.LastCpu) != 0 ? 1 : 0);
}
