namespace ThreadExporter.Model;

/// <summary>
/// The CPU ledger of a process. Between two successive collections, to the nanosecond: the increase of <see cref="Cpu"/> is the increase
/// of the thread series that are shown in both, of <see cref="Folded"/> and of <see cref="Transient"/>. None of them decreases. Written
/// by <c>Series/CpuLedger</c> only.
/// </summary>
internal sealed class ProcessBalance
{
    /// <summary>False until the first collection has been booked.</summary>
    public bool IsStarted { get; set; }

    /// <summary>
    /// CPU time of the process, exited threads included. Never below the process clock at the time its threads were read. Nanoseconds.
    /// </summary>
    public long Cpu { get; set; }

    /// <summary>CPU time that live threads used while they had no series that was shown in both collections. Nanoseconds.</summary>
    public long Folded { get; set; }

    /// <summary>
    /// CPU time used outside any thread's observed lifetime: by threads that lived between two collections, before a thread was first
    /// seen, or after it was last seen. Nanoseconds.
    /// </summary>
    public long Transient { get; set; }

    /// <summary>The <see cref="ProcessReading.ClockBeforeThreads"/> of the last settlement.</summary>
    public long ClockBeforeThreads { get; set; }

    /// <summary>The <see cref="ProcessReading.CountersVersion"/> that was booked last.</summary>
    public long CountersVersion { get; set; }

    /// <summary>The <see cref="ProcessSampling.Version"/> that was booked last.</summary>
    public long SamplingVersion { get; set; }
}
