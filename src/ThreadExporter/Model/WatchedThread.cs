using ThreadExporter.HotThreads;

namespace ThreadExporter.Model;

/// <summary>
/// One thread of a watched process: what was last read of it, and the descriptor that proves it is still the same
/// thread (a read on a dead thread's descriptor fails with ESRCH even when its tid was given out again).
/// </summary>
internal sealed class WatchedThread(int tid)
{
    public int Tid { get; } = tid;

    /// <summary>Kept open on <c>task/TID/schedstat</c>, or on <c>stat</c> where the kernel has no sched info; -1: read by path.</summary>
    public int Descriptor { get; set; } = -1;

    /// <summary>False until the first full read, and again when the descriptor answers for another thread (exec by a worker).</summary>
    public bool Known { get; set; }

    /// <summary>Start in clock ticks since boot.</summary>
    public ulong StartTicks { get; set; }

    /// <summary>State letter of the last read of <c>stat</c>.</summary>
    public byte State { get; set; }

    /// <summary>The shown name, in the kernel's bytes.</summary>
    public byte[] Name { get; set; } = [];

    /// <summary>Nanoseconds on a CPU.</summary>
    public long Cpu { get; set; }

    /// <summary>The last reading did not tell it: <see cref="Cpu"/> is the last value that did.</summary>
    public bool IsCpuUnknown { get; set; }

    /// <summary>Nanoseconds runnable but waiting for a CPU, as read last; -1: not known yet.</summary>
    public long Wait { get; set; } = -1;

    /// <summary>As read last; -1: not known yet.</summary>
    public long Timeslices { get; set; } = -1;

    /// <summary>Nanoseconds in user mode, in steps of a clock tick, as read last; -1: not known yet.</summary>
    public long User { get; set; } = -1;

    /// <summary>Nanoseconds in kernel mode, in steps of a clock tick, as read last; -1: not known yet.</summary>
    public long Kernel { get; set; } = -1;

    /// <summary>When <c>stat</c> is read again even though the thread did not run; monotonic nanoseconds.</summary>
    public long RefreshAt { get; set; }

    /// <summary>The last collection that found that it had run (<see cref="CollectionPass.Number"/>).</summary>
    public long RanInPass { get; set; }

    /// <summary>In <see cref="WatchedProcess.Active"/>.</summary>
    public bool IsActive { get; set; }

    /// <summary>What the sampler knows of it; null until the sampler or a collection has seen it run.</summary>
    public SaturationTracker? Saturation { get; set; }

    /// <summary>What <c>collector.extended</c> adds; null when nothing is chosen.</summary>
    public ExtendedCounters? Extended { get; set; }

    /// <summary>Nanoseconds on a CPU when the sampler last looked; -1: not yet.</summary>
    public long SampledCpu { get; set; } = -1;

    /// <summary>In <see cref="ProcessSamplerState.ActiveThreads"/>.</summary>
    public bool IsSampled { get; set; }

    /// <summary>Windows since it last ran; the sampler's.</summary>
    public int IdleWindows { get; set; }

    /// <summary>The hot page's view; null while nobody looks.</summary>
    public HotThreadState? Hot { get; set; }

    /// <summary>Where its time is shown; null: nowhere of its own, it is folded.</summary>
    public ThreadSeries? Series { get; set; }

    /// <summary>False until the arrangement has looked at its present name.</summary>
    public bool HasSeries { get; set; }

    /// <summary>The collection in which <see cref="Series"/> last changed (<see cref="CollectionPass.Number"/>).</summary>
    public long SeriesChangedInPass { get; set; }

    /// <summary>Series of its own that it had under other names or another rule, the latest last; null: none.</summary>
    public List<ThreadSeries>? PreviousSeries { get; set; }

    /// <summary>What the books have taken in; the rest is still to be booked.</summary>
    public ref ThreadCounters Booked => ref _booked;

    private ThreadCounters _booked;

    /// <summary>When it was booked its CPU time was not known: what it used since the reading before was booked as transient.</summary>
    public bool IsCpuBookedElsewhere { get; set; }

    /// <summary>Likewise of <see cref="Extended"/>; null: nothing yet.</summary>
    public ExtendedCounters? BookedExtended { get; set; }

    /// <summary>False until the books know it, and again when another thread has taken its place.</summary>
    public bool IsBooked { get; set; }

    /// <summary>It took the place of a thread that may have been shown with the same labels.</summary>
    public bool IsReplacement { get; set; }

    /// <summary>The last collection in which it lived but could not be read; 0: none since.</summary>
    public long UnreadSincePass { get; set; }

    public ThreadCounters Counters => new()
    {
        Cpu = Cpu,
        Wait = Wait,
        Timeslices = Timeslices,
        User = User,
        Kernel = Kernel,
        Saturated = Saturation?.Saturated ?? 0,
    };

    /// <summary>Another thread stands behind the descriptor: what is read next is a first reading.</summary>
    public void ResetIdentity()
    {
        Known = false;
        Wait = Timeslices = User = Kernel = -1;
        Saturation = null;
        Extended = null;
        SampledCpu = -1;
        MarkReplaced();
    }

    /// <summary>What it has used so far was another thread's, and what is known of this one begins now.</summary>
    public void MarkReplaced()
    {
        IsBooked = false;
        IsReplacement = true;
    }
}
