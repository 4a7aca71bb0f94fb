namespace ThreadExporter.Model;

/// <summary>What was last read of a process from /proc. Written by <c>Collection/ProcessReader</c> and the readers that it owns only.</summary>
internal sealed class ProcessReading
{
    /// <summary>False until the first full read.</summary>
    public bool IsKnown { get; set; }

    /// <summary>CPU clock of the process, read after its threads, in nanoseconds; exited threads included.</summary>
    public long Clock { get; set; }

    /// <summary>
    /// Lower bound of the process clock at the last read of its threads, in nanoseconds; -1: the clock is not known to the nanosecond.
    /// </summary>
    public long ClockBeforeThreads { get; set; }

    /// <summary>Process clock before the last full read; equal now means that nothing has run. Nanoseconds; -1: unknown.</summary>
    public long IdleCheckClock { get; set; } = -1;

    /// <summary>
    /// The part of the process clock that no known thread accounts for, in nanoseconds; -1: not known to the nanosecond. While it does not
    /// change, threads that were not read have not run.
    /// </summary>
    public long ExitedThreadsCpu { get; set; } = -1;

    /// <summary>When its threads were last read; CLOCK_MONOTONIC ns.</summary>
    public long ReadAt { get; set; }

    /// <summary>Nanoseconds in user mode, a multiple of the clock tick.</summary>
    public long User { get; set; }

    /// <summary>Nanoseconds in kernel mode, a multiple of the clock tick.</summary>
    public long Kernel { get; set; }

    /// <summary>The threads that ran in one of the last collections: the most likely to have run again.</summary>
    public List<WatchedThread> Active { get; } = [];

    /// <summary>Grows when threads started, exited or were renamed.</summary>
    public long ThreadsVersion { get; set; } = 1;

    /// <summary>Grows when a counter that the ledger books has changed.</summary>
    public long CountersVersion { get; set; } = 1;
}
