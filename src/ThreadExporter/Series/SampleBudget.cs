using System.Numerics;
using ThreadExporter.Configuration;

namespace ThreadExporter.Series;

/// <summary>
/// How many samples a scrape has, to keep it below <c>max_samples</c>. The metrics are written by a higher layer, so the numbers are
/// constants here; <c>SampleBudgetTests</c> fails when a scrape has other numbers of samples.
/// </summary>
internal static class SampleBudget
{
    /// <summary>Samples of the daemon's own metrics, without those per filter; with the two that only TLS and the two that only a recorder has.</summary>
    public const int Self = 41;

    /// <summary>Samples in reserve for thread states that are rarely written.</summary>
    public const int Reserve = 9;

    /// <summary>Samples of the metrics of one process or group, with the seven thread states that are always written.</summary>
    public const int PerOwner = 15;

    /// <summary>Samples of one name of exited threads of a process.</summary>
    public const int PerExited = 2;

    /// <summary>Samples of one thread series, with the number of threads, which only a name series has.</summary>
    public static int PerSeries(ExporterConfig config, bool hasSchedInfo) =>
        (!hasSchedInfo ? 4 : config.Sampler.Enabled ? 8 : 6) + Extended(config.Collector.Extended);

    /// <summary>How many thread series fit in <c>max_samples</c>.</summary>
    /// <param name="config">The active configuration.</param>
    /// <param name="hasSchedInfo">Whether the kernel has sched info.</param>
    /// <param name="owners">Processes and groups; they are all shown.</param>
    /// <param name="others">
    /// Samples of exited threads and processes, whose number is limited for each process, and of cgroups; they are all shown.
    /// </param>
    public static int SeriesWithin(ExporterConfig config, bool hasSchedInfo, int owners, int others) =>
        Math.Max(0, config.Collector.MaxSamples - Self - Reserve - config.Filters.Length - owners * PerOwner - others) / PerSeries(config, hasSchedInfo);

    // Each kind has two counters, except for the last CPU.
    private static int Extended(ExtendedKinds kinds) =>
        2 * BitOperations.PopCount((uint)(kinds & ~ExtendedKinds.LastCpu)) + ((kinds & ExtendedKinds.LastCpu) != 0 ? 1 : 0);
}
