using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Model;
using ThreadExporter.Procfs;

namespace ThreadExporter.Collection;

/// <summary>
/// Reads the extended counters (<c>collector.extended</c>) together with a thread's <c>stat</c>: when the thread has run and when its refresh
/// is due. That is enough: the kernel counts a switch, a fault and I/O for the thread that runs (kernel/sched/core.c, __schedule; mm/memory.c,
/// mm_account_fault; linux/task_io_accounting_ops.h), so none of them changes while its run time does not.
/// </summary>
/// <remarks>
/// Two are not exact at every instant. The switch by which a thread goes to sleep is counted some microseconds after its run time: a
/// reading between the two lacks that switch until the thread runs again. And waking a thread may move it to another CPU before it runs
/// there. The next read corrects both, at the latest after <c>refresh_interval</c>.
/// </remarks>
internal sealed class ExtendedReader(CollectionDiagnostics errors)
{
    // The context switches are the last lines of `status`, after lists of any length: the buffer grows up to the size of the longest list of groups.
    private const int LargestFile = 1024 * 1024;

    private byte[] _buffer = new byte[4096];

    /// <summary>
    /// Reads the extended counters of a thread. An error is counted and leaves the previous value; without permission, I/O is unknown.
    /// </summary>
    /// <param name="process">The process.</param>
    /// <param name="thread">The thread; <see cref="ThreadReading.Extended"/> says what to read.</param>
    /// <param name="stat">Its <c>stat</c>, just read.</param>
    public void Read(WatchedProcess process, WatchedThread thread, in ProcStat stat)
    {
        ref ThreadReading reading = ref thread.Reading;
        if ((reading.Extended & ExtendedKinds.Faults) != 0)
        {
            Set(ref reading.Counters, CounterKind.MinorFaults, (long)stat.MinorFaults);
            Set(ref reading.Counters, CounterKind.MajorFaults, (long)stat.MajorFaults);
        }
        if ((reading.Extended & ExtendedKinds.LastCpu) != 0)
            reading.LastCpu = stat.Processor;
        if ((reading.Extended & ExtendedKinds.ContextSwitches) != 0)
            ReadSwitches(process, thread.Tid, ref reading.Counters);
        if ((reading.Extended & ExtendedKinds.Io) != 0)
            ReadIo(process, thread.Tid, ref reading.Counters);
    }

    /// <summary>A number that no counter reaches reads as negative: then the previous value stays, and nothing else is lost.</summary>
    private static void Set(ref ThreadCounters counters, CounterKind kind, long value)
    {
        if (value >= 0)
            counters[kind] = value;
    }

    private void ReadSwitches(WatchedProcess process, int tid, ref ThreadCounters counters)
    {
        ReadStatus read = ReadFile(process, tid, "/status"u8, out ReadOnlySpan<byte> text);
        if (read == ReadStatus.Ok && ProcStatus.TryParse(text, out ProcStatus status))
        {
            Set(ref counters, CounterKind.VoluntarySwitches, status.VoluntarySwitches);
            Set(ref counters, CounterKind.InvoluntarySwitches, status.InvoluntarySwitches);
        }
        else if (read == ReadStatus.Ok)
            read = ReadStatus.Malformed;
        Count(read);
    }

    private void ReadIo(WatchedProcess process, int tid, ref ThreadCounters counters)
    {
        ReadStatus read = ReadFile(process, tid, "/io"u8, out ReadOnlySpan<byte> text);
        if (read == ReadStatus.Ok && ProcIo.TryParse(text, out ProcIo io))
        {
            Set(ref counters, CounterKind.ReadBytes, io.ReadBytes);
            Set(ref counters, CounterKind.WriteBytes, io.WriteBytes);
        }
        else if (read == ReadStatus.Ok)
            read = ReadStatus.Malformed;
        if (read == ReadStatus.Denied)
        {
            // The process has changed its user: no series is better than a counter that no longer moves.
            (counters[CounterKind.ReadBytes], counters[CounterKind.WriteBytes]) = (-1, -1);
            if (errors.IoDenied.Start())
                errors.Warn($"cannot read io of pid {process.Pid}: requires the same user, or CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE; its threads have no perfscale_thread_io_* series");
        }
        Count(read);
    }

    // A missing file is not an error: the thread has exited, which its descriptor shows, or the kernel does not count this.
    private void Count(ReadStatus read)
    {
        if (read != ReadStatus.Gone)
            errors.CountReadError(read);
    }

    private ReadStatus ReadFile(WatchedProcess process, int tid, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> text)
    {
        Span<byte> path = stackalloc byte[ProcPath.BufferSize];
        path = path[..ProcPath.Format(path, "task/"u8, tid, name).Length];
        ReadStatus status;
        int length;
        while ((status = RawFile.ReadOnce(process.Directory, path, _buffer, out length)) == ReadStatus.Ok
            && length == _buffer.Length && length < LargestFile)
        {
            _buffer = new byte[length * 2];
        }
        text = _buffer.AsSpan(0, length);
        return status;
    }
}
