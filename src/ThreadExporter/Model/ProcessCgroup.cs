using ThreadExporter.Cgroups;

namespace ThreadExporter.Model;

/// <summary>The cgroup that a process is in. Replaced by <c>Collection/CgroupFinder</c> when the process has moved.</summary>
/// <param name="node">The cgroup; null: it was not found.</param>
/// <param name="text">What the file <c>cgroup</c> said; empty: not kept.</param>
internal sealed class ProcessCgroup(CgroupNode? node, byte[] text)
{
    public CgroupNode? Node { get; } = node;

    /// <summary>What the file <c>cgroup</c> said; empty: not kept. As long as it says the same, nothing has to be found again.</summary>
    public byte[] Text { get; } = text;

    /// <summary>The label set that joins the process with its cgroup. Written by <c>Exposition/OwnerLabels</c> only.</summary>
    public RenderedLabels RenderedLabels { get; } = new();
}
