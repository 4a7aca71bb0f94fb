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

    private readonly ThreadReader _threads = new(root, budget, errors);
    private readonly ProcessStatReader _stat = new(root, errors);
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

    /// <summary>
    /// Reads the waited-for time and the parent of a process in a group. To be called before the CPU time of any member is read. An error leaves
    /// the previous values.
    /// </summary>
    public void ReadWaited(WatchedProcess process, in CollectionPass pass) => _stat.ReadWaited(process, pass);

    private bool ReadByClockSums(WatchedProcess process, in CollectionPass pass)
    {
        (long clock, long ranSince) = (-1, 0);
        bool idle = !pass.ReadAll && ActiveThreadsExplainClock(process, pass, out clock, out ranSince);
        // The active threads were read before this clock, and the others are read after it.
        if (clock >= 0 || process.Reading.IsKnown)
            process.Reading.ClockBeforeThreads = clock >= 0 ? clock : process.Reading.Clock;
        else if (Clocks.TryGetProcessCpu(process.Pid, out long before))
            process.Reading.ClockBeforeThreads = before;
        if (!idle)
        {
            ReadThreads(process, pass, clock, ranSince);
            return Clocks.TryGetProcessCpu(process.Pid, out clock) && ReadProcess(process, pass, clock, settled: false);
        }
        DropIdle(process, pass);
        clock += RefreshDue(process, pass);
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
        bool complete = ReadThreads(process, pass, clock: -1, ranSince: 0);
        return ReadProcess(process, pass, complete ? clock : -1, settled: false);
    }

    /// <summary>
    /// Reads the threads that ran recently, then the process clock, then these threads again. Thread clocks only increase, so when the known and
    /// the exited threads add up to the process clock, no other thread has run. While the active threads run, their part of the clock is only
    /// known to lie between the two readings: another thread can then have run unseen, for at most twice as long as the active ones did in
    /// between, until sums of a quieter moment or its refresh show it.
    /// </summary>
    /// <param name="process">The process.</param>
    /// <param name="pass">The collection.</param>
    /// <param name="clock">
    /// True: the process clock as of the first reading of the active threads. False: that at an instant after it, or -1 when it is unknown.
    /// </param>
    /// <param name="ranSince">For how many nanoseconds the active threads ran between the two readings.</param>
    private bool ActiveThreadsExplainClock(WatchedProcess process, in CollectionPass pass, out long clock, out long ranSince)
    {
        (clock, ranSince) = (-1, 0);
        foreach (WatchedThread thread in process.Reading.Active)
        {
            // Exited, replaced by exec, or unreadable: reading all threads shows which.
            if (_threads.Read(process, thread, pass) != ReadStatus.Ok || thread.Reading.IsCpuUnknown)
                return false;
        }
        if (!Clocks.TryGetProcessCpu(process.Pid, out long read))
            return false;
        if (process.Reading.Active.Count == 0 && read == process.Reading.IdleCheckClock)
        {
            clock = read;
            return true;
        }
        foreach (WatchedThread thread in process.Reading.Active)
        {
            if (!_threads.TryReadRun(process, thread, out long run) || run < thread.Cpu)
                return false;
            ranSince += run - thread.Cpu;
        }
        clock = read;
        if (!process.Reading.Exited.Explains(clock - SumOfThreads(process), ranSince, out long unexplained))
            return false;
        clock -= unexplained;
        return true;
    }

    /// <param name="process">The process.</param>
    /// <param name="pass">The collection.</param>
    /// <param name="clock">The process clock right after its active threads were read, or -1.</param>
    /// <param name="ranSince">For how many nanoseconds the active threads ran around that reading of the clock.</param>
    /// <returns>False when a live thread could not be read.</returns>
    private bool ReadThreads(WatchedProcess process, in CollectionPass pass, long clock, long ranSince)
    {
        // The active threads are read before the clock, the others after it. What the others run until then makes both bounds too low: then
        // the sums of the next collection do not match, and all threads are read again.
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
                if (process.ThreadExits is { } exits)
                    exits.Departed[thread.Tid] = (thread, pass.Number);
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
        if (exact && complete)
            process.Reading.Exited.Set(clock - SumOfThreads(process), ranSince);
        else
            process.Reading.Exited.Forget();
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
    /// <returns>For how many nanoseconds they have run unseen.</returns>
    private long RefreshDue(WatchedProcess process, in CollectionPass pass)
    {
        long ran = 0;
        foreach (WatchedThread thread in process.Threads)
        {
            if (pass.StartedAt < thread.Reading.RefreshAt)
                continue;
            long cpu = thread.Cpu;
            // That a thread has exited is found when all threads are read: its last CPU time moves the process clock.
            errors.CountReadError(_threads.Read(process, thread, pass));
            // After an exec the descriptor may be that of another thread, which has used less or more.
            ran += Math.Max(0, thread.Cpu - cpu);
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
        ReadStatus status = _stat.Read(process, out int threadCount);
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
            process.Reading.Exited.Subtract(thread.Cpu);
            if (thread.Reading.IsCpuUnknown)
            {
                process.Reading.Exited.Forget();
                result = ReadStatus.Malformed;
            }
        }
        merged.AddRange(process.Threads[known..]);
        process.Threads = merged;
        return result;
    }
}
