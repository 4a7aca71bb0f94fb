using ThreadExporter.Collection;
using ThreadExporter.HotThreads;
using ThreadExporter.Linux;
using ThreadExporter.Matching;
using ThreadExporter.Series;

namespace ThreadExporter.Model;

/// <summary>A process that a rule owns, with its threads. Its directory is kept open: a reused pid cannot be mistaken for it.</summary>
internal sealed class WatchedProcess(int pid, ulong startTicks, int directory)
{
    private const int MaxShownTids = 1024;

    private readonly HashSet<int> _shownTids = [];
    private bool _shownTidsOverflowed;

    public int Pid { get; } = pid;

    /// <summary>Start in clock ticks since boot.</summary>
    public ulong StartTicks { get; } = startTicks;

    /// <summary>Descriptor of <c>/proc/PID</c>.</summary>
    public int Directory { get; } = directory;

    /// <summary>Nanoseconds since the epoch, fixed at first sight.</summary>
    public long StartTime { get; init; }

    /// <summary>May end at an exec: the kernel starts its helper programs as threads of its own.</summary>
    public bool IsKernelThread { get; set; }

    public CompiledFilter Filter { get; private set; } = null!;

    /// <summary>The shown name, in the kernel's bytes.</summary>
    public byte[] Name { get; private set; } = [];

    public byte[] Daemon { get; private set; } = [];

    /// <summary>The labels that its rule adds (key <c>labels</c>), without those that it has no value for.</summary>
    public (string Name, byte[] Value)[] CgroupLabels { get; private set; } = [];

    /// <summary>Sorted by tid.</summary>
    public List<WatchedThread> Threads { get; set; } = [];

    /// <summary>False until the first full read.</summary>
    public bool Known { get; set; }

    /// <summary>The process's clock as read after its threads, in nanoseconds, exited threads included.</summary>
    public long Clock { get; set; }

    /// <summary>A value that the clock had passed when the threads were read: no thread is known as of an earlier moment. -1: the clock is not known to the nanosecond.</summary>
    public long ClockAtLastBooking { get; set; }

    /// <summary>Its books, of which the exposition prints.</summary>
    public CpuLedger Ledger { get; } = new();

    /// <summary>Nanoseconds on a CPU, exited threads included, as printed: the books' sum.</summary>
    public long Cpu => Ledger.Cpu;

    /// <summary>Something was read that the books have not taken in.</summary>
    public bool HasUnbookedCpu { get; set; } = true;

    /// <summary>Threads were born, ended or renamed since they were last arranged.</summary>
    public bool SeriesDirty { get; set; } = true;

    /// <summary>What <see cref="Candidates"/> was arranged by.</summary>
    public ThreadSelection? SelectedWith { get; set; }

    /// <summary>The series that the rule asks for, but for its <c>top</c>; by tid or by name.</summary>
    public List<ThreadSeries> Candidates { get; } = [];

    /// <summary>How many of them the rule's <c>top</c> leaves.</summary>
    public int Chosen { get; set; }

    /// <summary>The series that are shown, in the order of <see cref="Candidates"/>.</summary>
    public List<ThreadSeries> Shown { get; } = [];

    /// <summary>The groups it ever had, by name; null while it never had one.</summary>
    public SortedDictionary<string, ThreadSeries>? NameSeries { get; set; }

    /// <summary>
    /// What of the process's clock no known thread accounts for (CPU of exited threads), in nanoseconds; -1: not known to
    /// the nanosecond. While it holds, threads that were not read have not run.
    /// </summary>
    public long ExitedThreadsCpu { get; set; } = -1;

    /// <summary>The process clock as it stood before what it gates was last read, in nanoseconds; -1: not known.</summary>
    public long IdleCheckClock { get; set; } = -1;

    /// <summary>When its threads were last read; monotonic nanoseconds.</summary>
    public long ReadAt { get; set; }

    /// <summary>The threads that ran in one of the last collections: who is likely to have run again.</summary>
    public List<WatchedThread> Active { get; } = [];

    /// <summary>The sampler's view.</summary>
    public ProcessSamplerState SamplerState { get; } = new();

    /// <summary>The hot page's view; null while nobody looks.</summary>
    public HotProcessState? Hot { get; set; }

    /// <summary>Nanoseconds in user mode, in steps of a clock tick.</summary>
    public long User { get; set; }

    /// <summary>Nanoseconds in kernel mode, in steps of a clock tick.</summary>
    public long Kernel { get; set; }

    /// <summary>Written by the exposition, dropped here when a label changes.</summary>
    public byte[]? RenderedLabels { get; set; }

    /// <summary>Notes that a thread is gone. Its series may be in somebody's memory.</summary>
    public void RecordExit(WatchedThread thread)
    {
        SeriesDirty = true;
        if (thread.Series is not { IsNameSeries: false } && thread.PreviousSeries is null)
            return;
        if (_shownTids.Count < MaxShownTids)
            _shownTids.Add(thread.Tid);
        else
            _shownTidsOverflowed = true;
    }

    /// <summary>Whether a thread of this tid may have been shown before.</summary>
    public bool MayHaveShownTid(int tid) => _shownTidsOverflowed || _shownTids.Contains(tid);

    /// <summary>Puts the process under a rule. The threads keep their counters; labels that changed are rendered anew.</summary>
    public void Assign(CompiledFilter rule, ReadOnlySpan<byte> name, ReadOnlySpan<byte> daemon, (string Name, byte[] Value)[] extraLabels)
    {
        Filter = rule;
        if (name.SequenceEqual(Name) && daemon.SequenceEqual(Daemon) && Same(extraLabels, CgroupLabels))
            return;
        Name = name.ToArray();
        Daemon = daemon.ToArray();
        CgroupLabels = extraLabels;
        DropRenderedLabels();
    }

    private void DropRenderedLabels()
    {
        RenderedLabels = null;
        foreach (ThreadSeries group in NameSeries?.Values ?? Enumerable.Empty<ThreadSeries>())
            group.RenderedLabels = null;
        foreach (WatchedThread thread in Threads)
        {
            thread.Series?.RenderedLabels = null;
            thread.PreviousSeries?.ForEach(s => s.RenderedLabels = null);
        }
    }

    private static bool Same((string Name, byte[] Value)[] a, (string Name, byte[] Value)[] b) =>
        a.Length == b.Length && a.Zip(b).All(pair => pair.First.Name == pair.Second.Name && pair.First.Value.AsSpan().SequenceEqual(pair.Second.Value));

    /// <summary>Closes every descriptor.</summary>
    public void Close(DescriptorBudget budget)
    {
        foreach (WatchedThread thread in Threads)
            budget.Close(thread);
        Threads.Clear();
        RawFile.Close(Directory);
        budget.DirectoryClosed();
    }
}
