using ThreadExporter.Matching;
using ThreadExporter.Procfs;

namespace ThreadExporter.Collection;

/// <summary>A process that a rule owns, with its threads. Its directory is kept open: a reused pid cannot be mistaken for it.</summary>
internal sealed class WatchedProcess(int pid, ulong startTicks, int directory)
{
    public int Pid { get; } = pid;

    /// <summary>Start in clock ticks since boot.</summary>
    public ulong StartTicks { get; } = startTicks;

    /// <summary>Descriptor of <c>/proc/PID</c>.</summary>
    public int Directory { get; } = directory;

    /// <summary>Nanoseconds since the epoch, fixed at first sight.</summary>
    public long StartTime { get; init; }

    public bool IsKernelThread { get; init; }

    public Rule Rule { get; private set; } = null!;

    /// <summary>The shown name, in the kernel's bytes.</summary>
    public byte[] Name { get; private set; } = [];

    public byte[] Daemon { get; private set; } = [];

    /// <summary>Sorted by tid.</summary>
    public List<WatchedThread> Threads { get; set; } = [];

    /// <summary>False until the first full read.</summary>
    public bool Known { get; set; }

    /// <summary>Nanoseconds on a CPU, exited threads included.</summary>
    public long Cpu { get; set; }

    /// <summary>
    /// What of the process's clock no known thread accounts for (CPU of exited threads), in nanoseconds; -1: not known to
    /// the nanosecond. While it holds, threads that were not read have not run.
    /// </summary>
    public long Unaccounted { get; set; } = -1;

    /// <summary>The process clock as it stood before what it gates was last read, in nanoseconds; -1: not known.</summary>
    public long GateClock { get; set; } = -1;

    /// <summary>When its threads were last read; monotonic nanoseconds.</summary>
    public long ReadAt { get; set; }

    /// <summary>The threads that ran in one of the last collections: who is likely to have run again.</summary>
    public List<WatchedThread> Active { get; } = [];

    /// <summary>The sampler's view.</summary>
    public ProcessSamples Samples { get; } = new();

    /// <summary>The hot page's view; null while nobody looks.</summary>
    public HotProcess? Hot { get; set; }

    /// <summary>Nanoseconds in user mode, in steps of a clock tick.</summary>
    public long User { get; set; }

    /// <summary>Nanoseconds in kernel mode, in steps of a clock tick.</summary>
    public long Kernel { get; set; }

    /// <summary>Written by the exposition, dropped here when a label changes.</summary>
    public byte[]? RenderedLabels { get; set; }

    /// <summary>Puts the process under a rule. The threads keep their counters; labels that changed are rendered anew.</summary>
    public void Assign(Rule rule, ReadOnlySpan<byte> name, ReadOnlySpan<byte> daemon)
    {
        Rule = rule;
        if (name.SequenceEqual(Name) && daemon.SequenceEqual(Daemon))
            return;
        Name = name.ToArray();
        Daemon = daemon.ToArray();
        RenderedLabels = null;
        foreach (WatchedThread thread in Threads)
            thread.RenderedLabels = null;
    }

    /// <summary>Closes every descriptor.</summary>
    public void Close(DescriptorBudget budget)
    {
        foreach (WatchedThread thread in Threads)
            budget.Close(thread);
        Threads.Clear();
        ProcFile.Close(Directory);
        budget.DirectoryClosed();
    }
}
