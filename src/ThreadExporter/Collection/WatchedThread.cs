namespace ThreadExporter.Collection;

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

    /// <summary>Nanoseconds runnable but waiting for a CPU.</summary>
    public long Wait { get; set; }

    public long Timeslices { get; set; }

    /// <summary>Nanoseconds in user mode, in steps of a clock tick.</summary>
    public long User { get; set; }

    /// <summary>Nanoseconds in kernel mode, in steps of a clock tick.</summary>
    public long Kernel { get; set; }

    /// <summary>When <c>stat</c> is read again even though the thread did not run; monotonic nanoseconds.</summary>
    public long RefreshAt { get; set; }

    /// <summary>The last collection that found that it had run (<see cref="Pass.Number"/>).</summary>
    public long RanIn { get; set; }

    /// <summary>In <see cref="WatchedProcess.Active"/>.</summary>
    public bool IsActive { get; set; }

    /// <summary>What the sampler knows of it; null until the sampler or a collection has seen it run.</summary>
    public ThreadSamples? Samples { get; set; }

    /// <summary>Nanoseconds on a CPU when the sampler last looked; -1: not yet.</summary>
    public long SampledCpu { get; set; } = -1;

    /// <summary>In <see cref="ProcessSamples.Busy"/>.</summary>
    public bool IsSampled { get; set; }

    /// <summary>Windows since it last ran; the sampler's.</summary>
    public int IdleWindows { get; set; }

    /// <summary>The hot page's view; null while nobody looks.</summary>
    public HotThread? Hot { get; set; }

    /// <summary>Written by the exposition, dropped here when a label changes.</summary>
    public byte[]? RenderedLabels { get; set; }

    /// <summary>Another thread stands behind the descriptor: what is read next is a first reading.</summary>
    public void Forget()
    {
        Known = false;
        Samples = null;
        SampledCpu = -1;
    }
}
