using System.Collections.Immutable;
using System.Text;
using ThreadExporter.Linux;
using ThreadExporter.Procfs;

namespace ThreadExporter.Matching;

/// <summary>The labels of key <c>filter.labels</c> for one process.</summary>
internal static class CgroupLabels
{
    /// <summary>
    /// The selected labels that have a value for the process, in the order of <paramref name="selected"/>. The others are left out: to
    /// Prometheus an empty label is the same as no label.
    /// </summary>
    /// <returns>The result of reading the cgroup; <see cref="ReadStatus.Ok"/>, without a read, when no label is selected.</returns>
    public static ReadStatus Read(ImmutableArray<string> selected, ProcessInfo process, out (string Name, byte[] Value)[] labels)
    {
        labels = [];
        if (selected.IsEmpty)
            return ReadStatus.Ok;
        ReadStatus status = process.GetCgroups(out List<CgroupEntry> entries);
        (string? container, string? pod) = ContainerIds.Find(entries);
        List<(string, byte[])> found = new();
        foreach (string name in selected)
        {
            string? value = name switch
            {
                "unit" => CgroupUnits.Unit(entries),
                "container_id" => container,
                _ => pod,
            };
            if (value is not null)
                found.Add((name, Encoding.UTF8.GetBytes(value)));
        }
        labels = [.. found];
        return status;
    }
}
