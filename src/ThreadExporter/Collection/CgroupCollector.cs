using System.Globalization;
using ThreadExporter.Cgroups;
using ThreadExporter.Matching;
using ThreadExporter.Model;

namespace ThreadExporter.Collection;

/// <summary>Reads the cgroups of the watched processes in each collection. A warning says when some are missing.</summary>
internal sealed class CgroupCollector(CgroupTable table, DescriptorBudget budget, CollectionDiagnostics errors, TimeProvider time)
{
    private readonly RecurringWarning _warning = new(time);
    private readonly HashSet<CgroupNode> _ofOwner = [];

    /// <summary>Reads the cgroups, once each.</summary>
    /// <param name="watched">The watched processes.</param>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    /// <param name="refreshInterval">Nanoseconds after which a limit is read again.</param>
    public void Read(IReadOnlyList<WatchedProcess> watched, long now, long refreshInterval)
    {
        int unknown = 0;
        foreach (WatchedProcess process in watched)
        {
            if (process.Cgroup?.Node is { } node)
                table.Mark(node);
            else
                unknown++;
        }
        table.Collect(now, refreshInterval, budget.RoomForCgroups);
        budget.Cgroups = table.Descriptors;
        if (table.Denied == 0 && unknown == 0)
            _warning.End();
        else if (_warning.Start())
            errors.Warn(string.Create(CultureInfo.InvariantCulture,
                $"Some cgroup series are missing: {table.Denied} cgroups cannot be read for lack of permission, and the cgroups of {unknown} processes are not found in {table.Place}"));
    }

    /// <summary>The samples of the cgroups, with those that join them to their processes and groups.</summary>
    public int Samples(IReadOnlyList<SeriesOwner> owners)
    {
        int samples = table.Samples;
        foreach (SeriesOwner owner in owners)
        {
            owner.FindCgroups(_ofOwner);
            samples += _ofOwner.Count;
        }
        return samples;
    }
}
