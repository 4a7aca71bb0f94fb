namespace ThreadExporter.Model;

/// <summary>The sampler's state of a process. Written by <c>Collection/Sampler</c> only.</summary>
internal sealed class ProcessSampling
{
    /// <summary>Threads that ran in one of the last windows: sampled in each window.</summary>
    public List<WatchedThread> ActiveThreads { get; } = [];

    /// <summary>The process clock as last read, in nanoseconds; -1: not read yet.</summary>
    public long Clock { get; set; } = -1;

    /// <summary>End of the window in which <see cref="Clock"/> was read; CLOCK_MONOTONIC ns.</summary>
    public long ClockAt { get; set; }

    /// <summary>
    /// CPU time of the process from the moment when all its threads were last sampled until <see cref="ClockAt"/>, without that of its active threads. No
    /// other thread can have run longer than this. Nanoseconds.
    /// </summary>
    public long UnattributedCpu { get; set; }

    /// <summary>CPU time of the active threads since <see cref="ClockAt"/>, in nanoseconds.</summary>
    public long ActiveCpu { get; set; }

    /// <summary>Readings of the process clock since it last moved.</summary>
    public int IdleWindows { get; set; }

    /// <summary>End of the last window; CLOCK_MONOTONIC ns.</summary>
    public long At { get; set; }

    /// <summary>Grows when saturated time or a peak is recorded for one of its threads.</summary>
    public long Version { get; set; }
}
