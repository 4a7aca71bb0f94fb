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

    /// <summary>What exited threads have used of the process clock.</summary>
    public ExitedCpu Exited = new();

    /// <summary>When its threads were last read; CLOCK_MONOTONIC ns.</summary>
    public long ReadAt { get; set; }

    /// <summary>Nanoseconds in user mode, a multiple of the clock tick.</summary>
    public long User { get; set; }

    /// <summary>Nanoseconds in kernel mode, a multiple of the clock tick.</summary>
    public long Kernel { get; set; }

    /// <summary>
    /// CPU time of the children that it has waited for, and of theirs, in multiples of the clock tick. Of a process in a group it is read before
    /// the own CPU time of any member.
    /// </summary>
    public CpuTimes Waited { get; set; }

    /// <summary>The last collection that read <see cref="Waited"/> (<see cref="CollectionPass.Number"/>).</summary>
    public long WaitedInPass { get; set; }

    /// <summary>The process clock before <see cref="Waited"/> was read; equal now means that it has hardly run. Nanoseconds; -1: unknown.</summary>
    public long WaitedClock { get; set; } = -1;

    /// <summary>The parent, as the procfs root lists it.</summary>
    public int ParentPid { get; set; }

    /// <summary>The threads that ran in one of the last collections: the most likely to have run again.</summary>
    public List<WatchedThread> Active { get; } = [];

    /// <summary>Grows when threads started, exited or were renamed.</summary>
    public long ThreadsVersion { get; set; } = 1;

    /// <summary>Grows when a counter that the ledger books has changed.</summary>
    public long CountersVersion { get; set; } = 1;
}
