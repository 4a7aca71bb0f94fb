using ThreadExporter.Linux;
using ThreadExporter.Model;
using ThreadExporter.Procfs;

namespace ThreadExporter.Collection;

/// <summary>
/// Reads one watched process. Threads that ran lately are read first; when they account for all that the process's clock
/// has moved, no other thread has run and none is read (docs/decisions/0005). Synchronous and without allocation while
/// no thread is born or renamed.
/// </summary>
internal sealed class ProcessReader(ProcfsRoot root, DescriptorBudget budget, CollectionDiagnostics errors)
{
    // A thread that ran in one of so many collections is among the first to be read in the next.
    private const int ActiveFor = 4;
    // Reading them twice must cost little beside reading all.
    private const int SmallestActive = 16;
    private const int LargestActiveShare = 4;
    private const int Attempts = 3;

    private readonly ThreadReader _threads = new(root, budget, errors);
    private readonly byte[] _buffer = new byte[4096];
    private readonly List<int> _tids = [];

    /// <summary>Brings the process and its threads up to date.</summary>
    /// <returns>False when the process is gone.</returns>
    public bool Read(WatchedProcess process, in CollectionPass pass)
    {
        bool alive = root.SharesPidNamespace && root.HasSchedInfo ? ReadByClockSums(process, pass) : ReadIfClockMoved(process, pass);
        process.ReadAt = pass.StartedAt;
        return alive;
    }

    private bool ReadByClockSums(WatchedProcess process, in CollectionPass pass)
    {
        long clock = -1;
        bool idle = !pass.ReadAll && ActiveThreadsExplainClock(process, pass, out clock);
        // The active threads stood still around it, and the others are read after it.
        if (clock >= 0 || process.Known)
            process.ClockAtLastBooking = clock >= 0 ? clock : process.Clock;
        else if (Clocks.TryGetProcessCpu(process.Pid, out long before))
            process.ClockAtLastBooking = before;
        if (!idle)
        {
            ReadThreads(process, pass, clock);
            return Clocks.TryGetProcessCpu(process.Pid, out clock) && ReadProcess(process, pass, clock, settled: false);
        }
        DropIdle(process, pass);
        if (RefreshDue(process, pass) && !Clocks.TryGetProcessCpu(process.Pid, out clock))
            return false;
        return clock == process.IdleCheckClock ? IsAlive(process) : ReadProcess(process, pass, clock, settled: true);
    }

    // Ticks are too coarse for sums, and another namespace has no clock at all; but a clock that stands still says that
    // nothing ran. It is compared with its value from before the threads were last read: what ran meanwhile still counts.
    private bool ReadIfClockMoved(WatchedProcess process, in CollectionPass pass)
    {
        long clock = -1;
        if (root.SharesPidNamespace && Clocks.TryGetProcessCpu(process.Pid, out clock) && process.Known && clock == process.IdleCheckClock && !pass.ReadAll)
        {
            RefreshDue(process, pass);
            return IsAlive(process);
        }
        process.ClockAtLastBooking = clock;
        // What could not be read is read again even if nothing runs until then.
        bool complete = ReadThreads(process, pass, clock: -1);
        return ReadProcess(process, pass, complete ? clock : -1, settled: false);
    }

    /// <summary>
    /// Reads the threads that ran lately until they stand still around a reading of the process's clock, three times at
    /// most. Thread clocks only rise, so when the known threads and what exited ones have used add up to the process's
    /// clock, each of the others stands where it was last read.
    /// </summary>
    /// <param name="process">The process.</param>
    /// <param name="pass">The collection.</param>
    /// <param name="clock">The process's clock at an instant at which the active threads are known exactly; else -1.</param>
    private bool ActiveThreadsExplainClock(WatchedProcess process, in CollectionPass pass, out long clock)
    {
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            foreach (WatchedThread thread in process.Active)
            {
                // Whatever is wrong with one of them (ended, took over by exec, unreadable), the full pass finds out.
                if (_threads.Read(process, thread, pass) != ReadStatus.Ok || thread.IsCpuUnknown)
                {
                    clock = -1;
                    return false;
                }
            }
            if (!Clocks.TryGetProcessCpu(process.Pid, out clock))
                break;
            if (NoneHasRun(process))
                return process.ExitedThreadsCpu >= 0 && clock - SumOfThreads(process) == process.ExitedThreadsCpu;
        }
        clock = -1;
        return false;
    }

    private bool NoneHasRun(WatchedProcess process)
    {
        foreach (WatchedThread thread in process.Active)
        {
            if (!_threads.HasNotRun(process, thread))
                return false;
        }
        return true;
    }

    /// <param name="process">The process.</param>
    /// <param name="pass">The collection.</param>
    /// <param name="clock">The process's clock at an instant at which its active threads are known, or -1.</param>
    /// <returns>False when a thread that still lives could not be read.</returns>
    private bool ReadThreads(WatchedProcess process, in CollectionPass pass, long clock)
    {
        // The active ones are known as of the clock; the others are read after it. What then remains is not too much, and
        // it is right when no other thread ran in between: the next collection's sums tell.
        bool exact = clock >= 0;
        bool complete = true;
        List<WatchedThread> threads = process.Threads;
        int kept = 0;
        for (int i = 0; i < threads.Count; i++)
        {
            WatchedThread thread = threads[i];
            ReadStatus status = exact && thread.IsActive ? ReadStatus.Ok : _threads.Read(process, thread, pass);
            errors.CountReadError(status);
            if (status == ReadStatus.Gone)
            {
                budget.Close(thread);
                process.RecordExit(thread);
                continue;
            }
            if (status != ReadStatus.Ok)
            {
                complete = false;
                thread.UnreadSincePass = pass.Number;
            }
            complete &= !thread.IsCpuUnknown;
            threads[kept++] = thread;
        }
        threads.RemoveRange(kept, threads.Count - kept);
        process.ExitedThreadsCpu = exact && complete ? Math.Max(-1, clock - SumOfThreads(process)) : -1;
        ChooseActive(process, pass);
        return complete;
    }

    private static void DropIdle(WatchedProcess process, in CollectionPass pass)
    {
        List<WatchedThread> active = process.Active;
        int kept = 0;
        for (int i = 0; i < active.Count; i++)
        {
            WatchedThread thread = active[i];
            thread.IsActive = thread.RanInPass > pass.Number - ActiveFor;
            if (thread.IsActive)
                active[kept++] = thread;
        }
        active.RemoveRange(kept, active.Count - kept);
    }

    private static void ChooseActive(WatchedProcess process, in CollectionPass pass)
    {
        List<WatchedThread> active = process.Active;
        active.Clear();
        int most = Math.Max(SmallestActive, process.Threads.Count / LargestActiveShare);
        foreach (WatchedThread thread in process.Threads)
        {
            thread.IsActive = thread.RanInPass > pass.Number - ActiveFor;
            if (thread.IsActive)
                active.Add(thread);
        }
        if (active.Count <= most)
            return;
        foreach (WatchedThread thread in active)
            thread.IsActive = false;
        active.Clear();
    }

    private static long SumOfThreads(WatchedProcess process)
    {
        long sum = 0;
        foreach (WatchedThread thread in process.Threads)
            sum += thread.Cpu;
        return sum;
    }

    // Name and state can change without CPU.
    /// <returns>True when one of them was found to have run.</returns>
    private bool RefreshDue(WatchedProcess process, in CollectionPass pass)
    {
        bool ran = false;
        foreach (WatchedThread thread in process.Threads)
        {
            if (pass.StartedAt < thread.RefreshAt)
                continue;
            long cpu = thread.Cpu;
            // One that is gone is left to the full pass: its last moments move the process's clock.
            errors.CountReadError(_threads.Read(process, thread, pass));
            ran |= thread.Cpu != cpu;
            // If this reading does not tell, the process's clock did: it has not run.
            thread.IsCpuUnknown = false;
        }
        return ran;
    }

    /// <param name="process">The process, its threads read.</param>
    /// <param name="pass">The collection.</param>
    /// <param name="gate">The process's clock, for the next collection to compare with.</param>
    /// <param name="settled">That clock covers all that was read of the threads.</param>
    private bool ReadProcess(WatchedProcess process, in CollectionPass pass, long gate, bool settled)
    {
        ReadStatus status = ReadProcessStat(process, out int threadCount);
        if (status == ReadStatus.Gone)
            return false;
        errors.CountReadError(status);
        if (status == ReadStatus.Ok && threadCount != process.Threads.Count)
        {
            status = AddNewThreads(process, pass);
            settled = false;
        }
        process.IdleCheckClock = status == ReadStatus.Ok ? gate : -1;

        long cpu = root.SharesPidNamespace ? gate : process.User + process.Kernel;
        if (root.SharesPidNamespace && !settled && !Clocks.TryGetProcessCpu(process.Pid, out cpu))
            return false;
        // The clock goes by pid: that the process still lives afterwards proves that it answered for this one.
        if (root.SharesPidNamespace && !IsAlive(process))
            return false;
        process.HasUnbookedCpu |= cpu != process.Clock;
        process.Clock = cpu;
        process.Known = true;
        return true;
    }

    private ReadStatus ReadProcessStat(WatchedProcess process, out int threadCount)
    {
        threadCount = 0;
        ReadStatus status = RawFile.ReadOnce(process.Directory, "stat"u8, _buffer, out int length);
        if (status != ReadStatus.Ok)
            return status;
        if (!ProcStat.TryParse(_buffer.AsSpan(0, length), out ProcStat stat))
            return ReadStatus.Malformed;
        if (stat.StartTicks != process.StartTicks)
            return ReadStatus.Gone;
        threadCount = stat.NumThreads;
        (long user, long kernel) = (Clocks.FromTicks(stat.UserTicks), Clocks.FromTicks(stat.KernelTicks));
        errors.CountReadError((user | kernel) < 0 ? ReadStatus.Malformed : ReadStatus.Ok);
        (process.User, process.Kernel) = (Math.Max(process.User, user), Math.Max(process.Kernel, kernel));
        return ReadStatus.Ok;
    }

    // Not the process's own stat: that one sums over all threads (milliseconds at 10,000).
    private bool IsAlive(WatchedProcess process) =>
        RawFile.ReadOnce(process.Directory, "comm"u8, _buffer, out _) != ReadStatus.Gone;

    /// <returns>The first failure that left a living thread out.</returns>
    private ReadStatus AddNewThreads(WatchedProcess process, in CollectionPass pass)
    {
        ReadStatus result = RawFile.ListIds(process.Directory, "task"u8, _tids);
        if (result != ReadStatus.Ok)
        {
            errors.CountReadError(result);
            return result;
        }
        _tids.Sort();
        process.SeriesDirty = true;
        List<WatchedThread> merged = new(_tids.Count);
        int known = 0;
        foreach (int tid in _tids)
        {
            while (known < process.Threads.Count && process.Threads[known].Tid < tid)
                merged.Add(process.Threads[known++]);
            if (known < process.Threads.Count && process.Threads[known].Tid == tid)
            {
                merged.Add(process.Threads[known++]);
                continue;
            }
            WatchedThread thread = new(tid);
            ReadStatus status = _threads.Read(process, thread, pass);
            errors.CountReadError(status);
            if (status != ReadStatus.Ok)
            {
                budget.Close(thread);
                if (status != ReadStatus.Gone && result == ReadStatus.Ok)
                    result = status;
                continue;
            }
            thread.IsReplacement = process.MayHaveShownTid(tid);
            process.HasUnbookedCpu = true;
            merged.Add(thread);
            // It is known from here on, and was read after the clock: at most too little remains.
            process.ExitedThreadsCpu = Math.Max(-1, process.ExitedThreadsCpu - thread.Cpu);
            if (thread.IsCpuUnknown)
                (process.ExitedThreadsCpu, result) = (-1, ReadStatus.Malformed);
        }
        merged.AddRange(process.Threads[known..]);
        process.Threads = merged;
        return result;
    }
}
