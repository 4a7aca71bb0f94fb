namespace ThreadExporter.HotThreads;

/// <summary>The contents of the hot page. Created by the sampler's thread and read by requests; immutable.</summary>
/// <param name="TakenAt">CLOCK_MONOTONIC ns; 0: no snapshot has been taken since the page was opened.</param>
/// <param name="Window">Nanoseconds that the rows cover; 0: there is no earlier snapshot yet.</param>
/// <param name="Interval">Current time between two points of a history, in nanoseconds.</param>
/// <param name="Processes">Number of watched processes.</param>
/// <param name="Threads">Number of their threads.</param>
/// <param name="Hottest">The listed threads, ordered by CPU time in the window, largest first.</param>
internal sealed record HotSnapshot(long TakenAt, long Window, long Interval, int Processes, int Threads, HotThreadRow[] Hottest)
{
    public static HotSnapshot Empty { get; } = new(0, 0, 0, 0, 0, []);
}

/// <summary>A listed thread. Times are in nanoseconds and cover the window.</summary>
/// <param name="Process">Its process.</param>
/// <param name="Tid">Its tid.</param>
/// <param name="Name">Its name as text.</param>
/// <param name="State">The kernel's state letter; a space: not read yet.</param>
/// <param name="Cpu">Time on a CPU.</param>
/// <param name="Wait">Time runnable but waiting for a CPU; null: the kernel has no sched info.</param>
/// <param name="User">Time in user mode, a multiple of the clock tick.</param>
/// <param name="Kernel">Time in kernel mode, a multiple of the clock tick.</param>
/// <param name="Saturated">Saturated time of the whole history, not only of the window; null: the sampler is off.</param>
/// <param name="History">The share of a core at each point, oldest first, in thousandths of a core.</param>
internal sealed record HotThreadRow(
    HotProcessRow Process, int Tid, string Name, char State, long Cpu, long? Wait, long User, long Kernel, long? Saturated, ushort[] History);

/// <summary>A process with a listed thread. Times are in nanoseconds and cover the window.</summary>
/// <param name="Pid">Its pid.</param>
/// <param name="Name">Its name as text.</param>
/// <param name="Daemon">Label <c>daemon</c>.</param>
/// <param name="Filter">The name of the filter that selected it.</param>
/// <param name="Threads">Number of its live threads.</param>
/// <param name="Cpu">CPU time of the process; never less than <paramref name="ThreadsCpu"/>.</param>
/// <param name="ThreadsCpu">The part that live threads account for.</param>
/// <param name="HasClock">False: the process clock cannot be read from this pid namespace, so the CPU time of exited threads is unknown.</param>
internal sealed record HotProcessRow(int Pid, string Name, string Daemon, string Filter, int Threads, long Cpu, long ThreadsCpu, bool HasClock);
