using ThreadExporter.Linux;
using ThreadExporter.Matching;
using ThreadExporter.Model;
using ThreadExporter.Procfs;

namespace ThreadExporter.Collection;

/// <summary>
/// Reads one thread: <c>schedstat</c> on its kept descriptor, and <c>stat</c> only when the run time has moved, since
/// user and kernel time cannot move without it. <c>schedstat</c> is read first, so that <c>stat</c> is never older.
/// </summary>
internal sealed class ThreadReader(ProcfsRoot root, DescriptorBudget budget, CollectionDiagnostics errors)
{
    /// <summary>User and kernel time together may seem to fall by so much, in nanoseconds, without being another thread's.</summary>
    public static readonly long RoundingOfTicks = 2 * Clocks.NanosecondsPerTick;

    private readonly byte[] _buffer = new byte[4096];
    private readonly ExtendedReader _extended = new(errors);

    /// <summary>Brings the thread up to date. One without a descriptor (new, or beyond the budget so far) gets one if there is room.</summary>
    public ReadStatus Read(WatchedProcess process, WatchedThread thread, in CollectionPass pass)
    {
        if (thread.Descriptor >= 0 && budget.IsOver)
            budget.Close(thread);
        // One that is opened only now may be another thread's: the start time in stat tells.
        bool proven = thread.Descriptor >= 0;
        Span<byte> path = stackalloc byte[64];
        // Out of descriptors: by path, which fails the same way until one is free again.
        if (!proven && !budget.TryKeep(thread, process.Directory, Kept(path, thread), out ReadStatus status) && status == ReadStatus.Gone)
            return status;
        return root.HasSchedInfo ? ReadSchedStat(process, thread, proven, pass) : ReadStatOnly(process, thread, pass);
    }

    private ReadStatus ReadSchedStat(WatchedProcess process, WatchedThread thread, bool proven, in CollectionPass pass)
    {
        ReadStatus status = ReadKept(process, thread, out int length);
        if (status != ReadStatus.Ok)
            return status;
        if (!ProcSchedstat.TryParse(_buffer.AsSpan(0, length), out ProcSchedstat sched))
            return ReadStatus.Malformed;

        (long run, bool wasUnknown) = (sched.RunNanoseconds, thread.IsCpuUnknown);
        thread.IsCpuUnknown = run < 0;
        if ((run | sched.WaitNanoseconds | sched.Timeslices) < 0)
            errors.CountReadError(ReadStatus.Malformed);
        if (run < 0)
            run = thread.Cpu;
        // exec by a worker thread hands it the leader's tid, start time and descriptor: the run time, if it falls, tells. The other two do
        // not: kernels have shown a wait that fell, and the thread was the same.
        else if (run < thread.Cpu)
            thread.ResetIdentity();

        bool first = false;
        if (!thread.Known || !proven || run != thread.Cpu || thread.IsCpuUnknown || pass.StartedAt >= thread.RefreshAt || (thread.Extended?.Kinds ?? 0) != pass.Extended)
        {
            first = !thread.Known;
            ulong start = thread.StartTicks;
            status = ReadStat(process, thread, pass);
            if (status == ReadStatus.Gone || (status != ReadStatus.Ok && (first || !proven)))
                return status;
            if (status != ReadStatus.Ok)
            {
                // The descriptor proves it and tells its time; the rest, for which no other was free, is tried again.
                errors.CountReadError(status);
                thread.RefreshAt = 0;
            }
            if (!first && start != thread.StartTicks)
                return MarkReplaced(thread);
            // At first sight nothing else ties stat to the descriptor, nor ever what is read after it: the tid may have passed on in between.
            if ((first || pass.Extended != 0) && ReadKept(process, thread, out _) == ReadStatus.Gone)
                return ReadStatus.Gone;
        }
        if (run != thread.Cpu)
        {
            thread.RanInPass = pass.Number;
            // Shares below a tenth of a core may escape the sampler.
            long elapsed = pass.StartedAt - process.ReadAt;
            if (!first && !wasUnknown && pass.SamplerWindow > 0 && elapsed >= pass.SamplerWindow)
                (thread.Saturation ??= new SaturationTracker()).ObservePeak((double)(run - thread.Cpu) / elapsed, pass.StartedAt, pass.PeakWindow);
        }
        process.HasUnbookedCpu |= sched != new ProcSchedstat(thread.Cpu, thread.Wait, thread.Timeslices);
        thread.Cpu = run;
        // What is out of range keeps its last value.
        if (sched.WaitNanoseconds >= 0)
            thread.Wait = sched.WaitNanoseconds;
        if (sched.Timeslices >= 0)
            thread.Timeslices = sched.Timeslices;
        return ReadStatus.Ok;
    }

    /// <summary>Whether it has not run since it was read.</summary>
    public bool HasNotRun(WatchedProcess process, WatchedThread thread) =>
        ReadKept(process, thread, out int length) == ReadStatus.Ok
        && ProcSchedstat.TryParse(_buffer.AsSpan(0, length), out ProcSchedstat sched)
        && sched.RunNanoseconds == thread.Cpu;

    private ReadStatus ReadStatOnly(WatchedProcess process, WatchedThread thread, in CollectionPass pass)
    {
        bool first = !thread.Known;
        ulong start = thread.StartTicks;
        ReadStatus status = ReadStat(process, thread, pass);
        if (status == ReadStatus.Ok && !first && start != thread.StartTicks)
            return MarkReplaced(thread);
        if (status != ReadStatus.Ok)
            return status;
        long run = thread.IsCpuUnknown ? thread.Cpu : thread.User + thread.Kernel;
        // exec by a worker thread, as above. Either part is rounded, and kernels have shown one that fell by a tick.
        if (run < thread.Cpu - RoundingOfTicks)
            thread.MarkReplaced();
        process.HasUnbookedCpu |= thread.Cpu != run || thread.IsCpuUnknown;
        thread.Cpu = run;
        return status;
    }

    /// <summary>The tid belongs to another thread by now. Gone from here; the next listing finds the new one.</summary>
    private static ReadStatus MarkReplaced(WatchedThread thread)
    {
        thread.ResetIdentity();
        return ReadStatus.Gone;
    }

    private ReadStatus ReadStat(WatchedProcess process, WatchedThread thread, in CollectionPass pass)
    {
        Span<byte> path = stackalloc byte[64];
        ReadStatus status;
        int length;
        if (!root.HasSchedInfo && thread.Descriptor >= 0)
            status = RawFile.ReadAt(thread.Descriptor, _buffer, out length);
        else
            status = RawFile.ReadOnce(process.Directory, ProcPath.Format(path, "task/"u8, thread.Tid, "/stat"u8), _buffer, out length);
        if (status != ReadStatus.Ok)
            return status;
        if (!ProcStat.TryParse(_buffer.AsSpan(0, length), out ProcStat stat))
            return ReadStatus.Malformed;

        long user = Clocks.FromTicks(stat.UserTicks);
        long kernel = Clocks.FromTicks(stat.KernelTicks);
        if ((user | kernel) < 0)
            errors.CountReadError(ReadStatus.Malformed);
        if (!root.HasSchedInfo)
            thread.IsCpuUnknown = (user | kernel) < 0;
        thread.StartTicks = stat.StartTicks;
        thread.State = stat.State;
        if (user >= 0)
            thread.User = user;
        if (kernel >= 0)
            thread.Kernel = kernel;
        thread.RefreshAt = NextRefresh(thread.Tid, pass.StartedAt, pass.RefreshInterval);
        thread.Known = true;
        ReadOnlySpan<byte> name = TaskName.Stable(stat.Comm, process.IsKernelThread);
        if (!name.SequenceEqual(thread.Name))
        {
            thread.Name = name.ToArray();
            thread.HasSeries = false;
            process.SeriesDirty = true;
        }
        if (pass.Extended == 0)
            thread.Extended = null;
        else
            _extended.Read(process, thread, stat, pass.Extended);
        process.HasUnbookedCpu |= pass.Extended != 0;
        return ReadStatus.Ok;
    }

    // Each thread has a moment of its own in the interval: those that were found or ran together are not refreshed together.
    private static long NextRefresh(int tid, long now, long interval)
    {
        double spread = (uint)(tid * 2654435761) / (uint.MaxValue + 1.0);
        return now + interval - (now + (long)(interval * spread)) % interval;
    }

    private ReadStatus ReadKept(WatchedProcess process, WatchedThread thread, out int length)
    {
        if (thread.Descriptor >= 0)
            return RawFile.ReadAt(thread.Descriptor, _buffer, out length);
        Span<byte> path = stackalloc byte[64];
        return RawFile.ReadOnce(process.Directory, Kept(path, thread), _buffer, out length);
    }

    private ReadOnlySpan<byte> Kept(Span<byte> path, WatchedThread thread) =>
        ProcPath.Format(path, "task/"u8, thread.Tid, root.HasSchedInfo ? "/schedstat"u8 : "/stat"u8);
}
