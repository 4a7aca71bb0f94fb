namespace ThreadExporter.Model;

/// <summary>The sampler's state of a process. Written by <c>Collection/Sampler</c> only.</summary>
internal sealed class ProcessSampling
{
    /// <summary>Threads that ran in one of the last windows: sampled in each window.</summary>
    public List<WatchedThread> ActiveThreads { get; } = [];

    /// <summary>The process clock at the last window, in nanoseconds; -1: not read yet.</summary>
    public long Clock { get; set; } = -1;

    /// <summary>
    /// CPU time of the process since all its threads were last sampled, without that of its active threads. No other thread can have run
    /// longer than this. Nanoseconds.
    /// </summary>
    public long UnattributedCpu { get; set; }

    /// <summary>Windows since the process clock last moved.</summary>
    public int IdleWindows { get; set; }

    /// <summary>End of the last window; CLOCK_MONOTONIC ns.</summary>
    public long At { get; set; }

    /// <summary>Grows when saturated time or a peak is recorded for one of its threads.</summary>
    public long Version { get; set; }
}
