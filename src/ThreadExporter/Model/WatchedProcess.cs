using ThreadExporter.Matching;

namespace ThreadExporter.Model;

/// <summary>
/// A process that a filter has selected, with its threads. Its directory is kept open, so a reused pid cannot be mistaken for it. Its
/// state is split by owner: each part is written by one class only, and all of them run under the collection gate.
/// </summary>
internal sealed class WatchedProcess(int pid, ulong startTicks, int directory)
{
    public int Pid { get; } = pid;

    /// <summary>Start in clock ticks since boot.</summary>
    public ulong StartTicks { get; } = startTicks;

    /// <summary>Descriptor of <c>/proc/PID</c>.</summary>
    public int Directory { get; } = directory;

    /// <summary>Start time in nanoseconds since the epoch, fixed when the process is first seen.</summary>
    public long StartTime { get; init; }

    /// <summary>
    /// Becomes false at an exec: the kernel starts its helper programs from kernel threads (usermode helpers). Written by
    /// <c>Collection/ProcessTable</c> only.
    /// </summary>
    public bool IsKernelThread { get; set; }

    /// <summary>The filter that has selected it.</summary>
    public CompiledFilter Filter { get; private set; } = null!;

    /// <summary>The shown name, in the kernel's bytes.</summary>
    public byte[] Name { get; private set; } = [];

    /// <summary>Label <c>daemon</c>, UTF-8.</summary>
    public byte[] Daemon { get; private set; } = [];

    /// <summary>The labels that its filter adds (key <c>labels</c>), without those that have no value for this process.</summary>
    public (string Name, byte[] Value)[] CgroupLabels { get; private set; } = [];

    /// <summary>Grows when a label changes.</summary>
    public int LabelsVersion { get; private set; } = 1;

    /// <summary>Its live threads, sorted by tid. Written by <c>Collection/ProcessReader</c> only.</summary>
    public List<WatchedThread> Threads { get; set; } = [];

    public ProcessReading Reading { get; } = new();

    public ShownTids ShownTids { get; } = new();

    public ProcessSampling Sampling { get; } = new();

    public ProcessSelection Selection { get; } = new();

    public ProcessBalance Balance { get; } = new();

    /// <summary>Written by <c>Exposition/ThreadMetrics</c> only.</summary>
    public RenderedLabels RenderedLabels { get; } = new();

    /// <summary>Whether something was read or sampled that the ledger has not booked yet.</summary>
    public bool HasUnbookedCpu => Balance.CountersVersion != Reading.CountersVersion || Balance.SamplingVersion != Sampling.Version;

    /// <summary>
    /// Sets the filter and the labels that follow from it. The threads keep their counters. Called by <c>Collection/ProcessTable</c> only.
    /// </summary>
    public void Assign(CompiledFilter filter, ReadOnlySpan<byte> name, ReadOnlySpan<byte> daemon, (string Name, byte[] Value)[] cgroupLabels)
    {
        Filter = filter;
        if (name.SequenceEqual(Name) && daemon.SequenceEqual(Daemon) && AreEqual(cgroupLabels, CgroupLabels))
            return;
        Name = name.ToArray();
        Daemon = daemon.ToArray();
        CgroupLabels = cgroupLabels;
        LabelsVersion++;
    }

    private static bool AreEqual((string Name, byte[] Value)[] a, (string Name, byte[] Value)[] b) =>
        a.Length == b.Length && a.Zip(b).All(pair => pair.First.Name == pair.Second.Name && pair.First.Value.AsSpan().SequenceEqual(pair.Second.Value));
}
