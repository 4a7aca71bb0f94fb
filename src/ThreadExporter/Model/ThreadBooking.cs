namespace ThreadExporter.Model;

/// <summary>What the CPU ledger has booked for a thread. Written by <c>Series/CpuLedger</c> only.</summary>
internal struct ThreadBooking()
{
    /// <summary>The values up to which the thread has been booked.</summary>
    public ThreadCounters Counters = ThreadCounters.Zero;

    /// <summary>The <see cref="ThreadReading.Identity"/> under which it was booked; 0: not booked yet.</summary>
    public int Identity { get; set; }

    /// <summary>Another thread has taken its place, which the reader did not notice: the CPU time increased by more than is possible.</summary>
    public bool WasReplaced { get; set; }

    /// <summary>The collection in which it was last booked (<see cref="CollectionPass.Number"/>).</summary>
    public long InPass { get; set; }

    /// <summary>
    /// The CPU time was unknown when the thread was last booked, so what it used since the last valid reading was booked as transient.
    /// </summary>
    public bool IsCpuTransient { get; set; }
}
