using ThreadExporter.Matching;

namespace ThreadExporter.Model;

/// <summary>
/// A process that a filter has selected, with its threads. Its directory is kept open, so a reused pid cannot be mistaken for it. Its
/// state is split by owner: each part is written by one class only, and all of them run under the collection gate.
/// </summary>
internal sealed class WatchedProcess(int pid, ulong startTicks, int directory) : SeriesOwner
{
    // A second. A process that has hardly run is nothing to advise about.
    private const long NoteworthyCpu = 1_000_000_000;

    private CompiledFilter _filter = null!;
    private int _labelsVersion = 1;
    private List<WatchedProcess>? _asList;

    public int Pid { get; } = pid;

    /// <summary>Start in clock ticks since boot.</summary>
    public ulong StartTicks { get; } = startTicks;

    /// <summary>Descriptor of <c>/proc/PID</c>.</summary>
    public int Directory { get; } = directory;

    /// <summary>Start time in nanoseconds since the epoch, fixed when the process is first seen.</summary>
    public long StartTime { get; init; }

    /// <summary>The listing of /proc that found it first, watched or not; they are numbered from 1.</summary>
    public int ListedInUpdate { get; init; }

    /// <summary>
    /// Becomes false at an exec: the kernel starts its helper programs from kernel threads (usermode helpers). Written by
    /// <c>Collection/ProcessTable</c> only.
    /// </summary>
    public bool IsKernelThread { get; set; }

    /// <summary>The filter that has selected it.</summary>
    public override CompiledFilter Filter => _filter;

    public override ProcessBalance Balance { get; } = new();

    public override long User => Reading.User;

    public override long Kernel => Reading.Kernel;

    public override int LabelsVersion => _labelsVersion;

    /// <summary>Its live threads, sorted by tid. Written by <c>Collection/ProcessReader</c> only.</summary>
    public List<WatchedThread> Threads { get; set; } = [];

    public ProcessReading Reading { get; } = new();

    /// <summary>Exit records that wait; null: exit records are not available. Written by <c>Collection/ExitCollector</c> only.</summary>
    public ThreadExits? ThreadExits { get; set; }

    public ShownTids ShownTids { get; } = new();

    public ProcessSampling Sampling { get; } = new();

    public ProcessAssignment Assignment { get; } = new();

    /// <summary>Its cgroup; null: not read. Written by <c>Collection/CgroupFinder</c> only.</summary>
    public ProcessCgroup? Cgroup { get; set; }

    /// <summary>Its group; null: none. Written by <c>Series/ProcessGroups</c> only.</summary>
    public GroupMembership? Membership { get; set; }

    /// <summary>What the series of its threads belong to: the group, or the process itself.</summary>
    public SeriesOwner SeriesOwner => Membership is { } membership ? membership.Group : this;

    /// <summary>Itself, as a list.</summary>
    public List<WatchedProcess> AsList => _asList ??= [this];

    /// <summary>
    /// Whether more than a quarter of its CPU time, with that of the children it has waited for, is in no series: threads and processes that lived
    /// shorter than the time between two collections. In a group the latter are counted.
    /// </summary>
    public bool UsesShortLived
    {
        get
        {
            long children = Membership is null ? Reading.Waited.Total : 0;
            return (Balance.Transient + children) * 4 > Balance.Cpu + children && Balance.Transient + children > NoteworthyCpu;
        }
    }

    /// <summary>Whether something was read or sampled that the ledger has not booked yet.</summary>
    public bool HasUnbookedCpu => Balance.CountersVersion != Reading.CountersVersion || Balance.SamplingVersion != Sampling.Version;

    /// <summary>
    /// Sets the filter and the labels that follow from it. The threads keep their counters. Called by <c>Collection/ProcessTable</c> only.
    /// </summary>
    public void Assign(CompiledFilter filter, ReadOnlySpan<byte> name, ReadOnlySpan<byte> daemon, (string Name, byte[] Value)[] cgroupLabels)
    {
        _filter = filter;
        if (name.SequenceEqual(Name) && daemon.SequenceEqual(Daemon) && AreEqual(cgroupLabels, CgroupLabels))
            return;
        Name = name.ToArray();
        Daemon = daemon.ToArray();
        CgroupLabels = cgroupLabels;
        _labelsVersion++;
    }

    private static bool AreEqual((string Name, byte[] Value)[] a, (string Name, byte[] Value)[] b) =>
        a.Length == b.Length && a.Zip(b).All(pair => pair.First.Name == pair.Second.Name && pair.First.Value.AsSpan().SequenceEqual(pair.Second.Value));
}
