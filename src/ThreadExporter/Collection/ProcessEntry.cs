using ThreadExporter.Matching;
using ThreadExporter.Model;

namespace ThreadExporter.Collection;

/// <summary>A process of the list, watched or not. Written by <see cref="ProcessTable"/> only.</summary>
internal sealed class ProcessEntry(int pid)
{
    public int Pid { get; } = pid;
    public int ParentPid { get; set; }
    public ulong StartTicks { get; set; }
    public byte[] Comm { get; set; } = [];
    public bool IsKernelThread { get; set; }
    public bool LeaderHasExited { get; set; }
    public int Directory { get; set; } = -1;
    public int ListedInUpdate { get; set; }
    public int SeenInUpdate { get; set; }
    public bool Due { get; set; }
    public long NextCheck { get; set; }
    public FilterSet Inherited { get; set; } = FilterSet.Empty;
    public FilterSet ToChildren { get; set; } = FilterSet.Empty;
    public FilterSet ExeDenied { get; set; } = FilterSet.Empty;
    public bool IsDenied { get; set; }
    public WatchedProcess? Watched { get; set; }
}
