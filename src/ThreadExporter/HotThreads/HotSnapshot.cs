namespace ThreadExporter.HotThreads;

/// <summary>The contents of the hot page. Created by the sampler's thread and read by requests; immutable.</summary>
/// <param name="TakenAt">CLOCK_MONOTONIC ns; 0: no snapshot has been taken since the page was opened.</param>
/// <param name="Window">Nanoseconds that the rows cover; 0: there is no earlier snapshot yet.</param>
/// <param name="Interval">Current time between two points of a history, in nanoseconds.</param>
/// <param name="Processes">Number of watched processes.</param>
/// <param name="Threads">Number of their threads.</param>
/// <param name="Hottest">The listed threads, ordered by CPU time in the window, largest first.</param>
/// <param name="Host">Who had the CPUs of the host; null: not known.</param>
internal sealed record HotSnapshot(long TakenAt, long Window, long Interval, int Processes, int Threads, HotThreadRow[] Hottest, HotHost? Host)
{
    public static HotSnapshot Empty { get; } = new(0, 0, 0, 0, 0, [], null);
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
/// <param name="Verdict">What it did, or why it did not run.</param>
/// <param name="Reason">A sentence for the verdict; empty: none.</param>
internal sealed record HotThreadRow(
    HotProcessRow Process, int Tid, string Name, char State, long Cpu, long? Wait, long User, long Kernel, long? Saturated, ushort[] History,
    Verdict Verdict, string Reason);

/// <summary>A process with a listed thread. Times are in nanoseconds and cover the window.</summary>
/// <param name="Pid">Its pid.</param>
/// <param name="Name">Its name as text.</param>
/// <param name="Daemon">Label <c>daemon</c>.</param>
/// <param name="Filter">The name of the filter that selected it.</param>
/// <param name="Threads">Number of its live threads.</param>
/// <param name="Cpu">CPU time of the process; never less than <paramref name="ThreadsCpu"/>.</param>
/// <param name="ThreadsCpu">The part that live threads account for.</param>
/// <param name="WaitedChildren">CPU time of exited children that the process has waited for; 0 also when it was not read.</param>
/// <param name="Exited">Exited threads by name, those of such children included, most CPU time first; empty without exit records.</param>
/// <param name="HasClock">False: the process clock cannot be read from this pid namespace, so the CPU time of exited threads is unknown.</param>
/// <param name="IsKernelThread">It is a kernel thread, which has no other threads.</param>
internal sealed record HotProcessRow(int Pid, string Name, string Daemon, string Filter, int Threads, long Cpu, long ThreadsCpu, long WaitedChildren, HotExitRow[] Exited,
    bool HasClock, bool IsKernelThread);

/// <summary>Exited threads of one name.</summary>
/// <param name="Name">The name as text, digits folded.</param>
/// <param name="Cpu">CPU time that they used, in part an estimate, in nanoseconds.</param>
/// <param name="Exits">How many have exited.</param>
internal sealed record HotExitRow(string Name, long Cpu, long Exits);

/// <summary>Who had the CPUs of the host. Times are in nanoseconds and cover the window.</summary>
/// <param name="Cpus">CPUs that are online.</param>
/// <param name="Watched">CPU time of the watched processes.</param>
/// <param name="Unwatched">CPU time of the other processes that were listed.</param>
/// <param name="ShortLived">CPU time of processes that were not listed, and of interrupts.</param>
/// <param name="Steal">Time in which a hypervisor ran something else.</param>
/// <param name="Largest">The processes with the most CPU time, watched or not.</param>
/// <param name="Neighbours">The unwatched processes with the most CPU time.</param>
internal sealed record HotHost(int Cpus, long Watched, long Unwatched, long ShortLived, long Steal, HotNeighbour[] Largest, HotNeighbour[] Neighbours);

/// <summary>A process of the host.</summary>
/// <param name="Pid">Its pid.</param>
/// <param name="Name">Its name as text.</param>
/// <param name="Cpu">CPU time in the window, in nanoseconds.</param>
internal sealed record HotNeighbour(int Pid, string Name, long Cpu);
