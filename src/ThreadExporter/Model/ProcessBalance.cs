namespace ThreadExporter.Model;

/// <summary>The CPU ledger of a process. Written by <c>Series/CpuLedger</c> only.</summary>
internal sealed class ProcessBalance : CpuBalance
{
    /// <summary>False until the first collection has been booked.</summary>
    public bool IsStarted { get; set; }

    /// <summary>
    /// CPU time of its threads in the series of a group. It becomes folded time when the process leaves the group and has series of its own.
    /// Nanoseconds.
    /// </summary>
    public long InGroupSeries { get; set; }

    /// <summary>The part of <see cref="CpuBalance.Transient"/> that live threads had used before they were first seen. Nanoseconds.</summary>
    public long BeforeFirstSeen { get; set; }

    /// <summary>The <see cref="ProcessReading.ClockBeforeThreads"/> of the last settlement.</summary>
    public long ClockBeforeThreads { get; set; }

    /// <summary>The <see cref="ProcessReading.CountersVersion"/> that was booked last.</summary>
    public long CountersVersion { get; set; }

    /// <summary>The <see cref="ProcessSampling.Version"/> that was booked last.</summary>
    public long SamplingVersion { get; set; }
}
