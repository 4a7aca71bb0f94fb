using System.Runtime.InteropServices;
using ThreadExporter.Configuration;
using ThreadExporter.Model;

namespace ThreadExporter.Exposition;

/// <summary>Renders what <c>collector.extended</c> adds per thread. A thread of which a value cannot be read has no such series.</summary>
internal static class ExtendedMetrics
{
    private static readonly (ExtendedKinds Kind, MetricFamily Family, Func<ExtendedCounters, long> Value)[] Columns =
    [
        (ExtendedKinds.ContextSwitches, MetricCatalog.ThreadVoluntarySwitches, static e => e.VoluntarySwitches),
        (ExtendedKinds.ContextSwitches, MetricCatalog.ThreadInvoluntarySwitches, static e => e.InvoluntarySwitches),
        (ExtendedKinds.Faults, MetricCatalog.ThreadMinorFaults, static e => e.MinorFaults),
        (ExtendedKinds.Faults, MetricCatalog.ThreadMajorFaults, static e => e.MajorFaults),
        (ExtendedKinds.Io, MetricCatalog.ThreadIoReadBytes, static e => e.ReadBytes),
        (ExtendedKinds.Io, MetricCatalog.ThreadIoWriteBytes, static e => e.WriteBytes),
        (ExtendedKinds.LastCpu, MetricCatalog.ThreadLastCpu, static e => e.LastCpu),
    ];

    /// <summary>Nothing, not even heads, of what is not chosen. The series' labels are rendered already.</summary>
    public static void Write(IReadOnlyList<WatchedProcess> processes, ExtendedKinds chosen, ExpositionWriter writer)
    {
        foreach ((ExtendedKinds kind, MetricFamily family, Func<ExtendedCounters, long> value) in Columns)
        {
            if ((chosen & kind) == 0)
                continue;
            writer.Head(family);
            foreach (WatchedProcess process in processes)
            {
                foreach (ThreadSeries series in CollectionsMarshal.AsSpan(process.Shown))
                {
                    if (series.Extended is { } extras && value(extras) is >= 0 and long number)
                        writer.Number(family.Utf8Name, series.RenderedLabels, number);
                }
            }
        }
    }
}
