namespace ThreadExporter.Model;

/// <summary>
/// One thread of a watched process. Its state is split by owner: each part is written by one class only, and all of them run under the
/// collection gate.
/// </summary>
internal sealed class WatchedThread(int tid, bool hasShownTid = false)
{
    public ThreadReading Reading = new();
    public ThreadSampling Sampling = new();
    public ThreadAssignment Assignment;
    public ThreadBooking Booking = new();

    public int Tid { get; } = tid;

    /// <summary>Whether an own series with this tid may have been shown for a thread that has exited.</summary>
    public bool HasShownTid { get; } = hasShownTid;

    /// <summary>
    /// The kept descriptor, open on <c>task/TID/schedstat</c>, or on <c>stat</c> when the kernel has no sched info; -1: none, read by path. It
    /// proves the thread's identity: a read fails with ESRCH once the thread has exited, even when its tid was reused. Written by
    /// <c>Collection/DescriptorBudget</c> only.
    /// </summary>
    public int Descriptor { get; set; } = -1;

    /// <summary>Whether it is in <see cref="ProcessReading.Active"/>. Written by <c>Collection/ProcessReader</c> only.</summary>
    public bool IsActive { get; set; }

    /// <summary>Nanoseconds on a CPU, as last read.</summary>
    public long Cpu => Reading.Counters.Cpu;

    /// <summary>The series that takes its time; null: none, its time is folded.</summary>
    public ThreadSeries? Series => Assignment.Series;

    /// <summary>The sampler's counts; null: none yet for the thread that <see cref="Reading"/> belongs to.</summary>
    public SaturationTracker? Saturation => Sampling.Identity == Reading.Identity ? Sampling.Saturation : null;

    /// <summary>Whether the ledger has booked it; false for a new thread and for one that has taken the place of another.</summary>
    public bool IsBooked => Booking.Identity == Reading.Identity;

    /// <summary>Whether it is not booked yet and its labels may have been shown for another thread.</summary>
    public bool IsReplacement => !IsBooked && (Reading.Identity > 1 || HasShownTid || Booking.WasReplaced);

    /// <summary>All counters of the thread, as last read and sampled.</summary>
    public ThreadCounters Counters
    {
        get
        {
            ThreadCounters counters = Reading.Counters;
            counters[CounterKind.Saturated] = Saturation?.Saturated ?? 0;
            return counters;
        }
    }

    /// <summary>
    /// The largest share of a core, 0 to 1, in the last <paramref name="peakWindow"/> nanoseconds, by the sampler and by collections.
    /// </summary>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    /// <param name="peakWindow">Nanoseconds.</param>
    public float HighestShare(long now, long peakWindow) =>
        Math.Max(Saturation?.Peak.HighestShare(now, peakWindow) ?? 0, Reading.Peak?.HighestShare(now, peakWindow) ?? 0);
}
