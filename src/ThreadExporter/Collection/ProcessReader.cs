using ThreadExporter.Procfs;

namespace ThreadExporter.Collection;

/// <summary>
/// Reads one watched process: its threads first, its own clock last, so that no thread can show more than its process.
/// Synchronous and without allocation while no thread is born or renamed.
/// </summary>
internal sealed class ProcessReader(ProcfsRoot root, DescriptorBudget budget, ReadErrors errors)
{
    private readonly ThreadReader _threads = new(root, budget, errors);
    private readonly byte[] _buffer = new byte[4096];
    private readonly List<int> _tids = [];

    /// <summary>Brings the process and its threads up to date.</summary>
    /// <param name="process">The process.</param>
    /// <param name="now">Monotonic nanoseconds.</param>
    /// <param name="refreshInterval">Nanoseconds after which a thread's name and state are read again at the latest.</param>
    /// <returns>False when the process is gone.</returns>
    public bool Read(WatchedProcess process, long now, long refreshInterval)
    {
        // The process clock stands still only while no thread runs, and a thread cannot be born, end or run without CPU.
        // It is compared with its value from before the threads were last read: what ran during that read still counts.
        long gate = -1;
        bool idle = root.SharesPidNamespace
            && Clocks.TryGetProcessCpu(process.Pid, out gate)
            && process.Known
            && gate == process.GateClock;
        if (idle && !IsAlive(process))
            return false;

        bool complete = ReadThreads(process, now, refreshInterval, onlyDue: idle);
        process.GateClock = complete ? gate : -1;
        if (idle)
            return true;

        ReadStatus status = ReadProcessStat(process, out int threadCount);
        if (status == ReadStatus.Gone)
            return false;
        errors.Count(status);
        if (status == ReadStatus.Ok && threadCount != process.Threads.Count)
            status = AddNewThreads(process, now, refreshInterval);
        // What could not be read is read again even if nothing runs until then.
        if (status != ReadStatus.Ok)
            process.GateClock = -1;
        return ReadClock(process);
    }

    /// <returns>False when a thread that still lives could not be read.</returns>
    private bool ReadThreads(WatchedProcess process, long now, long refreshInterval, bool onlyDue)
    {
        List<WatchedThread> threads = process.Threads;
        int kept = 0;
        bool complete = true;
        for (int i = 0; i < threads.Count; i++)
        {
            WatchedThread thread = threads[i];
            ReadStatus status = onlyDue && now < thread.RefreshAt
                ? ReadStatus.Ok
                : _threads.Read(process, thread, now, refreshInterval);
            if (status == ReadStatus.Gone)
            {
                budget.Close(thread);
                continue;
            }
            errors.Count(status);
            complete &= status == ReadStatus.Ok;
            threads[kept++] = thread;
        }
        threads.RemoveRange(kept, threads.Count - kept);
        return complete;
    }

    private ReadStatus ReadProcessStat(WatchedProcess process, out int threadCount)
    {
        threadCount = 0;
        ReadStatus status = ProcFile.ReadOnce(process.Directory, "stat"u8, _buffer, out int length);
        if (status != ReadStatus.Ok)
            return status;
        if (!Stat.TryParse(_buffer.AsSpan(0, length), out Stat stat))
            return ReadStatus.Malformed;
        if (stat.StartTicks != process.StartTicks)
            return ReadStatus.Gone;
        threadCount = stat.NumThreads;
        process.User = Math.Max(process.User, (long)stat.UserTicks * Clocks.NanosecondsPerTick);
        process.Kernel = Math.Max(process.Kernel, (long)stat.KernelTicks * Clocks.NanosecondsPerTick);
        return ReadStatus.Ok;
    }

    private bool ReadClock(WatchedProcess process)
    {
        long cpu = process.User + process.Kernel;
        if (root.SharesPidNamespace)
        {
            // The clock goes by pid: that the process still lives afterwards proves that it answered for this one.
            if (!Clocks.TryGetProcessCpu(process.Pid, out cpu) || !IsAlive(process))
                return false;
        }
        process.Cpu = Math.Max(process.Cpu, cpu);
        process.Known = true;
        return true;
    }

    // Not the process's own stat: that one sums over all threads (milliseconds at 10,000).
    private bool IsAlive(WatchedProcess process) =>
        ProcFile.ReadOnce(process.Directory, "comm"u8, _buffer, out _) != ReadStatus.Gone;

    /// <returns>The first failure that left a living thread out.</returns>
    private ReadStatus AddNewThreads(WatchedProcess process, long now, long refreshInterval)
    {
        ReadStatus result = ProcFile.ListIds(process.Directory, "task"u8, _tids);
        if (result != ReadStatus.Ok)
        {
            errors.Count(result);
            return result;
        }
        _tids.Sort();
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
            ReadStatus status = _threads.Read(process, thread, now, refreshInterval);
            errors.Count(status);
            if (status == ReadStatus.Ok)
            {
                merged.Add(thread);
                continue;
            }
            budget.Close(thread);
            if (status != ReadStatus.Gone && result == ReadStatus.Ok)
                result = status;
        }
        merged.AddRange(process.Threads[known..]);
        process.Threads = merged;
        return result;
    }
}
