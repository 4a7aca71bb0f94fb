namespace ThreadExporter.Model;

/// <summary>What the sampler keeps of one process.</summary>
internal sealed class ProcessSamplerState
{
    /// <summary>Threads that ran in one of the last windows: looked at in each window.</summary>
    public List<WatchedThread> ActiveThreads { get; } = [];

    /// <summary>The process's clock in the last window, in nanoseconds; -1: not seen yet.</summary>
    public long Clock { get; set; } = -1;

    /// <summary>
    /// Nanoseconds that the process has used since all its threads were looked at and that the busy ones do not account for:
    /// no other thread can have run longer than this.
    /// </summary>
    public long UnattributedCpu { get; set; }

    /// <summary>Looks at its clock since it last moved.</summary>
    public int IdleWindows { get; set; }

    /// <summary>End of the last window; monotonic nanoseconds.</summary>
    public long At { get; set; }
}
