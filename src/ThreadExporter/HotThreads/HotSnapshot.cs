namespace ThreadExporter.HotThreads;

/// <summary>What the hot page shows: made by the sampler's thread, read by whoever answers, never changed.</summary>
/// <param name="TakenAt">Monotonic nanoseconds; 0: none has been taken since somebody looks.</param>
/// <param name="Window">Nanoseconds that the rows cover; 0: there is nothing to compare with yet.</param>
/// <param name="Interval">Nanoseconds between two points of a history, as they are taken now.</param>
/// <param name="Processes">Processes watched.</param>
/// <param name="Threads">Threads of them.</param>
/// <param name="Hottest">The hottest threads, the one that used most CPU in the window first.</param>
internal sealed record HotSnapshot(long TakenAt, long Window, long Interval, int Processes, int Threads, HotThreadRow[] Hottest)
{
    public static HotSnapshot Empty { get; } = new(0, 0, 0, 0, 0, []);
}

/// <summary>One of the hottest threads. Times are nanoseconds within the window unless it says otherwise.</summary>
/// <param name="Process">The process that it belongs to.</param>
/// <param name="Tid">Its id.</param>
/// <param name="Name">Its name as text.</param>
/// <param name="State">The kernel's letter; a blank: not read yet.</param>
/// <param name="Cpu">On a CPU.</param>
/// <param name="Wait">Runnable but waiting for one; null: this kernel does not tell.</param>
/// <param name="User">In user mode, in steps of a clock tick.</param>
/// <param name="Kernel">In kernel mode, likewise.</param>
/// <param name="Saturated">At full burn, in all of the history; null: the sampler is switched off.</param>
/// <param name="History">Points from old to new, in thousandths of a core.</param>
internal sealed record HotThreadRow(
    HotProcessRow Process, int Tid, string Name, char State, long Cpu, long? Wait, long User, long Kernel, long? Saturated, ushort[] History);

/// <summary>A process with one of the hottest threads. Times are nanoseconds within the window.</summary>
/// <param name="Pid">Its id.</param>
/// <param name="Name">Its name as text.</param>
/// <param name="Daemon">Label <c>daemon</c>.</param>
/// <param name="Filter">The name of the rule that owns it.</param>
/// <param name="Threads">How many it has.</param>
/// <param name="Cpu">What it used; never less than <paramref name="ThreadsCpu"/>.</param>
/// <param name="ThreadsCpu">What its living threads account for.</param>
/// <param name="HasClock">False: what its ended threads have used is not known here.</param>
internal sealed record HotProcessRow(int Pid, string Name, string Daemon, string Filter, int Threads, long Cpu, long ThreadsCpu, bool HasClock);
