namespace ThreadExporter.Model;

/// <summary>What the sampler knows of a process. Written by <c>Collection/Sampler</c> only.</summary>
internal sealed class ProcessSampling
{
    /// <summary>Threads that ran in one of the last windows: sampled in each window.</summary>
    public List<WatchedThread> ActiveThreads { get; } = [];

    /// <summary>The process clock at the last window, in nanoseconds; -1: not read yet.</summary>
    public long Clock { get; set; } = -1;

    /// <summary>
    /// Nanoseconds that the process used since all its threads were sampled and that its active threads do not account for: no other
    /// thread can have run longer than this.
    /// </summary>
    public long UnattributedCpu { get; set; }

    /// <summary>Windows since its clock last moved.</summary>
    public int IdleWindows { get; set; }

    /// <summary>End of the last window; CLOCK_MONOTONIC ns.</summary>
    public long At { get; set; }

    /// <summary>Grows with each saturated time or peak that was added to one of its threads.</summary>
    public long Version { get; set; }
}
