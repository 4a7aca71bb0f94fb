using ThreadExporter.Linux;
using ThreadExporter.Model;
using ThreadExporter.Procfs;

namespace ThreadExporter.Collection;

/// <summary>
/// Reads one watched process. Threads that ran recently are read first; when they account for the whole increase of the process clock, no
/// other thread has run and none is read (docs/decisions/0005). Synchronous, and without allocation while no thread starts or is renamed.
/// </summary>
internal sealed class ProcessReader(ProcfsRoot root, DescriptorBudget budget, CollectionDiagnostics errors)
{
    // A thread that ran in one of this many collections is read first in the next.
    private const int ActiveFor = 4;
    // Reading the active threads twice must be cheap compared with reading all threads.
    private const int SmallestActive = 16;
    private const int LargestActiveShare = 4;
    private const int Attempts = 3;

    private readonly ThreadReader _threads = new(root, budget, errors);
    private readonly byte[] _buffer = new byte[4096];
    private readonly List<int> _tids = [];

    /// <summary>Reads the process and those of its threads that may have run.</summary>
    /// <returns>False when the process has exited. Other errors are counted and leave the previous values.</returns>
    public bool Read(WatchedProcess process, in CollectionPass pass)
    {
        bool alive = root.SharesPidNamespace && root.HasSchedInfo ? ReadByClockSums(process, pass) : ReadIfClockMoved(process, pass);
        process.Reading.ReadAt = pass.StartedAt;
        return alive;
    }

    private bool ReadByClockSums(WatchedProcess process, in CollectionPass pass)
    {
        long clock = -1;
        bool idle = !pass.ReadAll && ActiveThreadsExplainClock(process, pass, out clock);
        // The active threads did not run around this reading of the clock, and the others are read after it.
        if (clock >= 0 || process.Reading.IsKnown)
            process.Reading.ClockBeforeThreads = clock >= 0 ? clock : process.Reading.Clock;
        else if (Clocks.TryGetProcessCpu(process.Pid, out long before))
            process.Reading.ClockBeforeThreads = before;
        if (!idle)
        {
            ReadThreads(process, pass, clock);
            return Clocks.TryGetProcessCpu(process.Pid, out clock) && ReadProcess(process, pass, clock, settled: false);
        }
        DropIdle(process, pass);
        if (RefreshDue(process, pass) && !Clocks.TryGetProcessCpu(process.Pid, out clock))
            return false;
        return clock == process.Reading.IdleCheckClock ? IsAlive(process) : ReadProcess(process, pass, clock, settled: true);
    }

    // For thread times in ticks, too coarse for sums, and for another pid namespace, where no process clock can be read. A clock that has not
    // moved since before the last read of the threads shows that nothing has run, not even during that read.
    private bool ReadIfClockMoved(WatchedProcess process, in CollectionPass pass)
    {
        long clock = -1;
        if (root.SharesPidNamespace && Clocks.TryGetProcessCpu(process.Pid, out clock) && process.Reading.IsKnown && clock == process.Reading.IdleCheckClock && !pass.ReadAll)
        {
            RefreshDue(process, pass);
            return IsAlive(process);
        }
        process.Reading.ClockBeforeThreads = clock;
        // A thread that could not be read is read again in the next collection, even if nothing runs until then.
        bool complete = ReadThreads(process, pass, clock: -1);
        return ReadProcess(process, pass, complete ? clock : -1, settled: false);
    }

    /// <summary>
    /// Reads the threads that ran recently until none of them runs around a reading of the process clock, three times at most. Thread clocks
    /// only increase, so when the CPU time of the known and of the exited threads adds up to the process clock, no other thread has run.
    /// </summary>
    /// <param name="process">The process.</param>
    /// <param name="pass">The collection.</param>
    /// <param name="clock">The process clock at an instant at which the active threads are known exactly; else -1.</param>
    private bool ActiveThreadsExplainClock(WatchedProcess process, in CollectionPass pass, out long clock)
    {
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            foreach (WatchedThread thread in process.Reading.Active)
            {
                // Exited, replaced by exec, or unreadable: reading all threads shows which.
                if (_threads.Read(process, thread, pass) != ReadStatus.Ok || thread.Reading.IsCpuUnknown)
                {
                    clock = -1;
                    return false;
                }
            }
            if (!Clocks.TryGetProcessCpu(process.Pid, out clock))
                break;
            if (NoneHasRun(process))
                return process.Reading.ExitedThreadsCpu >= 0 && clock - SumOfThreads(process) == process.Reading.ExitedThreadsCpu;
        }
        clock = -1;
        return false;
    }

    private bool NoneHasRun(WatchedProcess process)
    {
        foreach (WatchedThread thread in process.Reading.Active)
        {
            if (!_threads.HasNotRun(process, thread))
                return false;
        }
        return true;
    }

    /// <param name="process">The process.</param>
    /// <param name="pass">The collection.</param>
    /// <param name="clock">The process clock at an instant at which its active threads are known, or -1.</param>
    /// <returns>False when a live thread could not be read.</returns>
    private bool ReadThreads(WatchedProcess process, in CollectionPass pass, long clock)
    {
        // The active threads are known at the time of the clock, the others are read after it. So the remainder is never too large, and it is
        // exact when no other thread ran in between; the sums of the next collection show whether one did.
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
                process.ShownTids.Add(thread);
                process.Reading.ThreadsVersion++;
                continue;
            }
            if (status != ReadStatus.Ok)
            {
                complete = false;
                thread.Reading.UnreadInPass = pass.Number;
            }
            complete &= !thread.Reading.IsCpuUnknown;
            threads[kept++] = thread;
        }
        threads.RemoveRange(kept, threads.Count - kept);
        process.Reading.ExitedThreadsCpu = exact && complete ? Math.Max(-1, clock - SumOfThreads(process)) : -1;
        ChooseActive(process, pass);
        return complete;
    }

    private static void DropIdle(WatchedProcess process, in CollectionPass pass)
    {
        List<WatchedThread> active = process.Reading.Active;
        int kept = 0;
        for (int i = 0; i < active.Count; i++)
        {
            WatchedThread thread = active[i];
            thread.IsActive = thread.Reading.RanInPass > pass.Number - ActiveFor;
            if (thread.IsActive)
                active[kept++] = thread;
        }
        active.RemoveRange(kept, active.Count - kept);
    }

    private static void ChooseActive(WatchedProcess process, in CollectionPass pass)
    {
        List<WatchedThread> active = process.Reading.Active;
        active.Clear();
        int limit = Math.Max(SmallestActive, process.Threads.Count / LargestActiveShare);
        foreach (WatchedThread thread in process.Threads)
        {
            thread.IsActive = thread.Reading.RanInPass > pass.Number - ActiveFor;
            if (thread.IsActive)
                active.Add(thread);
        }
        if (active.Count <= limit)
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

    /// <summary>Reads the threads whose refresh is due, because name and state can change without CPU time.</summary>
    /// <returns>Whether one of them has run.</returns>
    private bool RefreshDue(WatchedProcess process, in CollectionPass pass)
    {
        bool ran = false;
        foreach (WatchedThread thread in process.Threads)
        {
            if (pass.StartedAt < thread.Reading.RefreshAt)
                continue;
            long cpu = thread.Cpu;
            // That a thread has exited is found when all threads are read: its last CPU time moves the process clock.
            errors.CountReadError(_threads.Read(process, thread, pass));
            ran |= thread.Cpu != cpu;
            // The process clock shows that the thread has not run, even if this reading was out of range.
            thread.Reading.IsCpuUnknown = false;
        }
        return ran;
    }

    /// <summary>Reads the process itself, and its new threads. False: the process has exited.</summary>
    /// <param name="process">The process; its known threads are read.</param>
    /// <param name="pass">The collection.</param>
    /// <param name="idleCheckClock">The process clock that the next collection compares with.</param>
    /// <param name="settled">Whether that clock covers everything that was read of the threads.</param>
    private bool ReadProcess(WatchedProcess process, in CollectionPass pass, long idleCheckClock, bool settled)
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
        process.Reading.IdleCheckClock = status == ReadStatus.Ok ? idleCheckClock : -1;

        long cpu = root.SharesPidNamespace ? idleCheckClock : process.Reading.User + process.Reading.Kernel;
        if (root.SharesPidNamespace && !settled && !Clocks.TryGetProcessCpu(process.Pid, out cpu))
            return false;
        // The clock is read by pid. That the process still exists afterwards proves that it was its clock.
        if (root.SharesPidNamespace && !IsAlive(process))
            return false;
        if (cpu != process.Reading.Clock)
            process.Reading.CountersVersion++;
        process.Reading.Clock = cpu;
        process.Reading.IsKnown = true;
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
        (long user, long kernel) = (stat.UserNanoseconds, stat.KernelNanoseconds);
        errors.CountReadError((user | kernel) < 0 ? ReadStatus.Malformed : ReadStatus.Ok);
        (process.Reading.User, process.Reading.Kernel) = (Math.Max(process.Reading.User, user), Math.Max(process.Reading.Kernel, kernel));
        return ReadStatus.Ok;
    }

    // By comm, not by the stat of the process, which sums over all threads (milliseconds with 10,000 threads).
    private bool IsAlive(WatchedProcess process) =>
        RawFile.ReadOnce(process.Directory, "comm"u8, _buffer, out _) != ReadStatus.Gone;

    /// <returns>The first error that kept a live thread from being added; Ok: none.</returns>
    private ReadStatus AddNewThreads(WatchedProcess process, in CollectionPass pass)
    {
        ReadStatus result = RawFile.ListIds(process.Directory, "task"u8, _tids);
        if (result != ReadStatus.Ok)
        {
            errors.CountReadError(result);
            return result;
        }
        _tids.Sort();
        process.Reading.ThreadsVersion++;
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
            WatchedThread thread = new(tid, process.ShownTids.MayContain(tid));
            ReadStatus status = _threads.Read(process, thread, pass);
            errors.CountReadError(status);
            if (status != ReadStatus.Ok)
            {
                budget.Close(thread);
                if (status != ReadStatus.Gone && result == ReadStatus.Ok)
                    result = status;
                continue;
            }
            process.Reading.CountersVersion++;
            merged.Add(thread);
            // The thread was read after the clock, so the remainder can only be too small.
            process.Reading.ExitedThreadsCpu = Math.Max(-1, process.Reading.ExitedThreadsCpu - thread.Cpu);
            if (thread.Reading.IsCpuUnknown)
                (process.Reading.ExitedThreadsCpu, result) = (-1, ReadStatus.Malformed);
        }
        merged.AddRange(process.Threads[known..]);
        process.Threads = merged;
        return result;
    }
}
