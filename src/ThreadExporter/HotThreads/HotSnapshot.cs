namespace ThreadExporter.HotThreads;

/// <summary>What the hot page shows. Made by the sampler's thread, read by requests, immutable.</summary>
/// <param name="TakenAt">CLOCK_MONOTONIC ns; 0: none has been taken since the page was opened.</param>
/// <param name="Window">Nanoseconds that the rows cover; 0: there is no earlier snapshot yet.</param>
/// <param name="Interval">Current time between two points of a history, in nanoseconds.</param>
/// <param name="Processes">Processes watched.</param>
/// <param name="Threads">Threads of them.</param>
/// <param name="Hottest">The listed threads, ordered by CPU time in the window, largest first.</param>
internal sealed record HotSnapshot(long TakenAt, long Window, long Interval, int Processes, int Threads, HotThreadRow[] Hottest)
{
    public static HotSnapshot Empty { get; } = new(0, 0, 0, 0, 0, []);
}

/// <summary>A listed thread. Times are nanoseconds within the window unless it says otherwise.</summary>
/// <param name="Process">The process that it belongs to.</param>
/// <param name="Tid">Its id.</param>
/// <param name="Name">Its name as text.</param>
/// <param name="State">The kernel's letter; a space: not read yet.</param>
/// <param name="Cpu">On a CPU.</param>
/// <param name="Wait">Runnable but waiting for one; null: this kernel has no sched info.</param>
/// <param name="User">In user mode, a multiple of the clock tick.</param>
/// <param name="Kernel">In kernel mode, a multiple of the clock tick.</param>
/// <param name="Saturated">Saturated time in the whole history; null: the sampler is off.</param>
/// <param name="History">Points from old to new, in thousandths of a core.</param>
internal sealed record HotThreadRow(
    HotProcessRow Process, int Tid, string Name, char State, long Cpu, long? Wait, long User, long Kernel, long? Saturated, ushort[] History);

/// <summary>A process with a listed thread. Times are nanoseconds within the window.</summary>
/// <param name="Pid">Its id.</param>
/// <param name="Name">Its name as text.</param>
/// <param name="Daemon">Label <c>daemon</c>.</param>
/// <param name="Filter">The name of the filter that selected it.</param>
/// <param name="Threads">How many it has.</param>
/// <param name="Cpu">What it used; never less than <paramref name="ThreadsCpu"/>.</param>
/// <param name="ThreadsCpu">The part that its live threads account for.</param>
/// <param name="HasClock">False: the CPU time of its exited threads is unknown here.</param>
internal sealed record HotProcessRow(int Pid, string Name, string Daemon, string Filter, int Threads, long Cpu, long ThreadsCpu, bool HasClock);
