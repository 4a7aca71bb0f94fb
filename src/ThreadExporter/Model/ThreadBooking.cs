namespace ThreadExporter.Model;

/// <summary>What the CPU ledger has booked of a thread. Written by <c>Series/CpuLedger</c> only.</summary>
internal struct ThreadBooking()
{
    /// <summary>The values as booked; the increase since then is still to be booked.</summary>
    public ThreadCounters Counters = ThreadCounters.Zero;

    /// <summary>The <see cref="ThreadReading.Identity"/> that it was booked as; 0: not booked yet.</summary>
    public int Identity { get; set; }

    /// <summary>The ledger found that another thread has taken its place before the reader could: its CPU time jumped by more than was possible.</summary>
    public bool WasReplaced { get; set; }

    /// <summary>The collection in which it was last booked (<see cref="CollectionPass.Number"/>).</summary>
    public long InPass { get; set; }

    /// <summary>Its CPU time was unknown when it was booked: what it used since the reading before was booked as transient.</summary>
    public bool IsCpuTransient { get; set; }
}
