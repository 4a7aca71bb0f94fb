using ThreadExporter.Configuration;

namespace ThreadExporter.Model;

/// <summary>What was last read of a thread from /proc. Written by <c>Collection/ProcessReader</c> and the readers that it owns only.</summary>
internal struct ThreadReading()
{
    /// <summary>
    /// Which thread the readings belong to, counted from 1. Grows when another thread takes over the tid and the kept descriptor: exec by a
    /// worker thread gives it those of the main thread (execve(2)).
    /// </summary>
    public int Identity { get; set; } = 1;

    /// <summary>False until the first full read, and again after <see cref="Identity"/> has grown.</summary>
    public bool IsKnown { get; set; }

    /// <summary>Start in clock ticks since boot.</summary>
    public ulong StartTicks { get; set; }

    /// <summary>State letter of the last read of <c>stat</c>.</summary>
    public byte State { get; set; }

    /// <summary>The shown name, in the kernel's bytes. A new name is a new array, so names can be compared by reference.</summary>
    public byte[] Name { get; set; } = [];

    public ThreadCounters Counters = ThreadCounters.Unknown;

    /// <summary>The last CPU time read was out of range; the counter is the last valid value.</summary>
    public bool IsCpuUnknown { get; set; }

    /// <summary>The extended counters that were enabled at the last read of <c>stat</c>.</summary>
    public ExtendedKinds Extended { get; set; }

    /// <summary>Number of the CPU that the thread was on; -1: unknown.</summary>
    public long LastCpu { get; set; } = -1;

    /// <summary>When <c>stat</c> is read again even if the thread has not run; CLOCK_MONOTONIC ns.</summary>
    public long RefreshAt { get; set; }

    /// <summary>The last collection that found that the thread had run (<see cref="CollectionPass.Number"/>).</summary>
    public long RanInPass { get; set; }

    /// <summary>The last collection in which the thread existed but could not be read; 0: none.</summary>
    public long UnreadInPass { get; set; }

    /// <summary>The largest share of a core between two collections; null until the thread has run. The sampler has its own.</summary>
    public PeakTracker? Peak { get; set; }
}
