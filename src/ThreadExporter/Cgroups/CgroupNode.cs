namespace ThreadExporter.Cgroups;

/// <summary>
/// A cgroup in the hierarchy of the cpu controller. Made by <c>CgroupTable</c>, which writes its marks. What was read of it is written by
/// <c>CgroupReader</c>.
/// </summary>
/// <param name="path">Label <c>cgroup</c>: its path as the host sees it.</param>
/// <param name="relativePath">Its path below the root of the hierarchy that can be seen.</param>
/// <param name="directory">Its directory, absolute.</param>
/// <param name="parent">The cgroup that it is in; null for the topmost that can be seen.</param>
internal sealed class CgroupNode(string path, string relativePath, string directory, CgroupNode? parent)
{
    public string Path { get; } = path;

    public string RelativePath { get; } = relativePath;

    public string Directory { get; } = directory;

    public CgroupNode? Parent { get; } = parent;

    public CgroupReading Reading { get; } = new(directory);

    /// <summary>The last collection in which a watched process was in it.</summary>
    public long MemberInPass { get; set; }

    /// <summary>The last collection in which a watched process was in it or below it.</summary>
    public long NeededInPass { get; set; }

    /// <summary>When a path was last resolved to it or to one below it, CLOCK_MONOTONIC ns.</summary>
    public long ResolvedAt { get; set; }

    /// <summary>Whether it sets a CPU limit.</summary>
    public bool IsLimited => Reading.Limit >= 0;

    /// <summary>The label set with its braces, UTF-8; it never changes. Written by <c>Exposition/OwnerLabels</c> only.</summary>
    public byte[]? LabelText { get; set; }
}
