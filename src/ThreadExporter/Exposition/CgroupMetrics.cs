using ThreadExporter.Cgroups;
using ThreadExporter.Model;

namespace ThreadExporter.Exposition;

/// <summary>Renders the metrics of cgroups, and of which process is in which. A family without series is left out.</summary>
internal static class CgroupMetrics
{
    private static readonly (MetricFamily Family, CgroupCounter Counter, bool IsSeconds)[] Columns =
    [
        (MetricCatalog.CgroupCpu, CgroupCounter.Cpu, true),
        (MetricCatalog.CgroupThrottled, CgroupCounter.Throttled, true),
        (MetricCatalog.CgroupPeriods, CgroupCounter.Periods, false),
        (MetricCatalog.CgroupThrottledPeriods, CgroupCounter.ThrottledPeriods, false),
        (MetricCatalog.CgroupPressure, CgroupCounter.Pressure, true),
    ];

    /// <summary>Writes the cgroups of the owners' processes, and those above them that set a limit.</summary>
    /// <param name="owners">The processes and groups that are written, with their labels rendered.</param>
    /// <param name="table">The cgroups of the last collection.</param>
    /// <param name="writer">Receives the text.</param>
    public static void Write(IReadOnlyList<SeriesOwner> owners, CgroupTable table, ExpositionWriter writer)
    {
        HashSet<CgroupNode> cgroups = [];
        HashSet<CgroupNode> needed = [];
        foreach (SeriesOwner owner in owners)
        {
            owner.FindCgroups(cgroups);
            foreach (CgroupNode cgroup in cgroups)
            {
                needed.Add(cgroup);
                for (CgroupNode? above = cgroup.Parent; above is not null; above = above.Parent)
                {
                    if (above.IsLimited)
                        needed.Add(above);
                }
            }
        }
        if (needed.Count == 0)
            return;
        List<CgroupNode> shown = [.. table.Shown.Where(needed.Contains)];
        foreach ((MetricFamily family, CgroupCounter counter, bool isSeconds) in Columns)
            Write(shown, family, node => node.Reading.Counters[counter], isSeconds, writer);
        // A limit is in billionths of a core, and written as seconds are.
        Write(shown, MetricCatalog.CgroupLimit, static node => node.Reading.Limit, isSeconds: true, writer);
        writer.Head(MetricCatalog.ProcessCgroup);
        foreach (SeriesOwner owner in owners)
        {
            owner.FindCgroups(cgroups);
            foreach (CgroupNode cgroup in cgroups)
                writer.Number(MetricCatalog.ProcessCgroup.Utf8Name, OwnerLabels.Of(owner, cgroup), 1);
        }
    }

    private static void Write(List<CgroupNode> shown, MetricFamily family, Func<CgroupNode, long> value, bool isSeconds, ExpositionWriter writer)
    {
        bool isHeaded = false;
        foreach (CgroupNode node in shown)
        {
            if (value(node) is not (>= 0 and var known))
                continue;
            if (!isHeaded)
                writer.Head(family);
            isHeaded = true;
            if (isSeconds)
                writer.Seconds(family.Utf8Name, OwnerLabels.Of(node), known);
            else
                writer.Number(family.Utf8Name, OwnerLabels.Of(node), known);
        }
    }
}
