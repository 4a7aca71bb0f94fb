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
    /// <summary>
    /// By how much user and kernel time together may decrease although the thread is the same, because both are rounded. Nanoseconds.
    /// </summary>
    public static readonly long RoundingOfTicks = 2 * Clocks.NanosecondsPerTick;

    private readonly byte[] _buffer = new byte[4096];
    private readonly ExtendedReader _extended = new(errors);

    /// <summary>Reads the thread. If it has no descriptor (it is new, or there was no room), it gets one if there is room.</summary>
    /// <returns>
    /// Gone: the thread has exited or its tid belongs to another. An error leaves the previous values; Ok also when a single number is out of
    /// range.
    /// </returns>
    public ReadStatus Read(WatchedProcess process, WatchedThread thread, in CollectionPass pass)
    {
        if (thread.Descriptor >= 0 && budget.IsOver)
            budget.Close(thread);
        // A descriptor that is opened now may belong to another thread; the start time in stat shows it.
        bool proven = thread.Descriptor >= 0;
        Span<byte> path = stackalloc byte[64];
        // When no descriptor is free, the read by path fails, too, until one is.
        if (!proven && !budget.TryKeep(thread, process.Directory, ProcPath.Format(path, "task/"u8, thread.Tid, KeptFile), out ReadStatus status) && status == ReadStatus.Gone)
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

        ref ThreadReading reading = ref thread.Reading;
        (long run, bool wasUnknown) = (sched.RunNanoseconds, reading.IsCpuUnknown);
        reading.IsCpuUnknown = run < 0;
        if ((run | sched.WaitNanoseconds | sched.Timeslices) < 0)
            errors.CountReadError(ReadStatus.Malformed);
        if (run < 0)
            run = thread.Cpu;
        // exec by a worker thread gives it the main thread's tid, start time and descriptor. Only a run time that decreases shows this. A wait
        // that decreases does not: some kernels report that for the same thread.
        else if (run < thread.Cpu)
            ResetIdentity(thread);

        bool first = false;
        if (!reading.IsKnown || !proven || run != thread.Cpu || reading.IsCpuUnknown || pass.StartedAt >= reading.RefreshAt || reading.Extended != pass.Extended)
        {
            first = !reading.IsKnown;
            ulong start = reading.StartTicks;
            status = ReadStat(process, thread, pass);
            if (status == ReadStatus.Gone || (status != ReadStatus.Ok && (first || !proven)))
                return status;
            if (status != ReadStatus.Ok)
            {
                // The kept descriptor proves the identity and gives the CPU time. The rest could not be read and is read again in the next collection.
                errors.CountReadError(status);
                reading.RefreshAt = 0;
            }
            if (!first && start != reading.StartTicks)
            {
                ResetIdentity(thread);
                return ReadStatus.Gone;
            }
            // stat (when the thread is first seen) and the extended files are read by path: the tid may have been reused since schedstat was read.
            if ((first || pass.Extended != 0) && ReadKept(process, thread, out _) == ReadStatus.Gone)
                return ReadStatus.Gone;
        }
        if (run != thread.Cpu)
        {
            reading.RanInPass = pass.Number;
            // Collections record peaks, too: the sampler may miss shares below a tenth of a core.
            long elapsed = pass.StartedAt - process.Reading.ReadAt;
            if (!first && !wasUnknown && pass.SamplerWindow > 0 && elapsed >= pass.SamplerWindow)
                (reading.Peak ??= new PeakTracker()).Observe((double)(run - thread.Cpu) / elapsed, pass.StartedAt, pass.PeakWindow);
        }
        if (sched != new ProcSchedstat(thread.Cpu, reading.Counters.Wait, reading.Counters.Timeslices))
            process.Reading.CountersVersion++;
        reading.Counters.Cpu = run;
        // A value that is out of range leaves the previous one.
        if (sched.WaitNanoseconds >= 0)
            reading.Counters[CounterKind.Wait] = sched.WaitNanoseconds;
        if (sched.Timeslices >= 0)
            reading.Counters[CounterKind.Timeslices] = sched.Timeslices;
        return ReadStatus.Ok;
    }

    /// <summary>Reads the run time alone, and changes nothing.</summary>
    /// <param name="process">The process of the thread.</param>
    /// <param name="thread">A thread that has been read.</param>
    /// <param name="run">Nanoseconds.</param>
    /// <returns>False when it cannot be read or is out of range.</returns>
    public bool TryReadRun(WatchedProcess process, WatchedThread thread, out long run)
    {
        run = -1;
        if (ReadKept(process, thread, out int length) == ReadStatus.Ok && ProcSchedstat.TryParse(_buffer.AsSpan(0, length), out ProcSchedstat sched))
            run = sched.RunNanoseconds;
        return run >= 0;
    }

    private ReadStatus ReadStatOnly(WatchedProcess process, WatchedThread thread, in CollectionPass pass)
    {
        ref ThreadReading reading = ref thread.Reading;
        bool first = !reading.IsKnown;
        ulong start = reading.StartTicks;
        ReadStatus status = ReadStat(process, thread, pass);
        if (status != ReadStatus.Ok)
            return status;
        if (!first && start != reading.StartTicks)
        {
            ResetIdentity(thread);
            return ReadStatus.Gone;
        }
        long run = reading.IsCpuUnknown ? thread.Cpu : reading.Counters.User + reading.Counters.Kernel;
        // exec by a worker thread, as above. Both parts are rounded, and some kernels report one that decreases by a tick.
        if (run < thread.Cpu - RoundingOfTicks)
            reading.Identity++;
        if (thread.Cpu != run || reading.IsCpuUnknown)
            process.Reading.CountersVersion++;
        reading.Counters.Cpu = run;
        return status;
    }

    /// <summary>Starts again for another thread that now has the tid and the descriptor.</summary>
    private static void ResetIdentity(WatchedThread thread)
    {
        ref ThreadReading reading = ref thread.Reading;
        reading.Identity++;
        reading.IsKnown = false;
        long cpu = reading.Counters.Cpu;
        reading.Counters = ThreadCounters.Unknown;
        // Kept: the caller compares it with the value just read.
        reading.Counters.Cpu = cpu;
        reading.Peak = null;
        (reading.Extended, reading.LastCpu) = (0, -1);
    }

    private ReadStatus ReadStat(WatchedProcess process, WatchedThread thread, in CollectionPass pass)
    {
        ReadStatus status = ReadFile(process, thread.Tid, root.HasSchedInfo ? -1 : thread.Descriptor, "/stat"u8, _buffer, out int length);
        if (status != ReadStatus.Ok)
            return status;
        if (!ProcStat.TryParse(_buffer.AsSpan(0, length), out ProcStat stat))
            return ReadStatus.Malformed;

        ref ThreadReading reading = ref thread.Reading;
        long user = stat.UserNanoseconds;
        long kernel = stat.KernelNanoseconds;
        if ((user | kernel) < 0)
            errors.CountReadError(ReadStatus.Malformed);
        if (!root.HasSchedInfo)
            reading.IsCpuUnknown = (user | kernel) < 0;
        reading.StartTicks = stat.StartTicks;
        reading.State = stat.State;
        if (user >= 0)
            reading.Counters[CounterKind.User] = user;
        if (kernel >= 0)
            reading.Counters[CounterKind.Kernel] = kernel;
        reading.RefreshAt = NextRefresh(thread.Tid, pass.StartedAt, pass.RefreshInterval);
        reading.IsKnown = true;
        ReadOnlySpan<byte> name = TaskName.Stable(stat.Comm, process.IsKernelThread);
        if (!name.SequenceEqual(reading.Name))
        {
            reading.Name = name.ToArray();
            process.Reading.ThreadsVersion++;
        }
        if (reading.Extended != pass.Extended)
        {
            reading.Counters.ClearExtended();
            (reading.Extended, reading.LastCpu) = (pass.Extended, -1);
        }
        if (pass.Extended != 0)
        {
            _extended.Read(process, thread, stat);
            process.Reading.CountersVersion++;
        }
        return ReadStatus.Ok;
    }

    // Each thread has a fixed offset within the interval, so that threads that started or ran together are not refreshed together.
    private static long NextRefresh(int tid, long now, long interval)
    {
        double spread = (uint)(tid * 2654435761) / (uint.MaxValue + 1.0);
        return now + interval - (now + (long)(interval * spread)) % interval;
    }

    /// <summary>The file that kept descriptors are opened on.</summary>
    private ReadOnlySpan<byte> KeptFile => root.HasSchedInfo ? "/schedstat"u8 : "/stat"u8;

    private ReadStatus ReadKept(WatchedProcess process, WatchedThread thread, out int length) =>
        ReadFile(process, thread.Tid, thread.Descriptor, KeptFile, _buffer, out length);

    /// <summary>Reads a file of a thread through its descriptor, or by path if <paramref name="descriptor"/> is -1.</summary>
    public static ReadStatus ReadFile(WatchedProcess process, int tid, int descriptor, ReadOnlySpan<byte> name, Span<byte> buffer, out int length)
    {
        if (descriptor >= 0)
            return RawFile.ReadAt(descriptor, buffer, out length);
        Span<byte> path = stackalloc byte[ProcPath.BufferSize];
        return RawFile.ReadOnce(process.Directory, ProcPath.Format(path, "task/"u8, tid, name), buffer, out length);
    }
}
