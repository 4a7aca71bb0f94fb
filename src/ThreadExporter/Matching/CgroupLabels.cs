using System.Collections.Immutable;
using System.Text;
using ThreadExporter.Linux;
using ThreadExporter.Procfs;

namespace ThreadExporter.Matching;

/// <summary>The labels of key <c>filter.labels</c> for one process.</summary>
internal static class CgroupLabels
{
    /// <summary>
    /// Those chosen that the process has, in the order of <paramref name="chosen"/>: to Prometheus an empty label is none, so one without
    /// a value is left out.
    /// </summary>
    /// <returns>How the read of the cgroup ended; <see cref="ReadStatus.Ok"/> without one when nothing is chosen.</returns>
    public static ReadStatus Read(ImmutableArray<string> chosen, ProcessInfo process, out (string Name, byte[] Value)[] labels)
    {
        labels = [];
        if (chosen.IsEmpty)
            return ReadStatus.Ok;
        ReadStatus status = process.GetCgroups(out List<CgroupEntry>? entries);
        (string? container, string? pod) = ContainerIds.Find(entries);
        List<(string, byte[])> found = new();
        foreach (string name in chosen)
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
