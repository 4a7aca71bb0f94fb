using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Model;
using ThreadExporter.Procfs;

namespace ThreadExporter.Collection;

/// <summary>
/// Reads what <c>collector.extended</c> adds, together with a thread's <c>stat</c>: when it has run and when its refresh is due. That is
/// enough: the kernel counts a switch, a fault and I/O for the thread that runs (kernel/sched/core.c, __schedule; mm/memory.c,
/// mm_account_fault; linux/task_io_accounting_ops.h), so none of them moves while its run time stands still.
/// </summary>
/// <remarks>
/// Two are not exact to the instant. The switch by which a thread goes to sleep is counted some microseconds after its run time: one
/// that is read between the two lacks that one switch until it runs again. And waking it may move a thread to another CPU before it has
/// run there. Both are put right by the next read, at the latest after <c>refresh_interval</c>.
/// </remarks>
internal sealed class ExtendedReader(CollectionDiagnostics errors)
{
    // The switches stand last in `status`, after lists that have no bound: it grows as needed, up to the longest list of groups.
    private const int LargestFile = 1024 * 1024;

    private byte[] _buffer = new byte[4096];

    /// <param name="process">The process.</param>
    /// <param name="thread">The thread.</param>
    /// <param name="stat">Its <c>stat</c>, just read.</param>
    /// <param name="kinds">What is chosen.</param>
    public void Read(WatchedProcess process, WatchedThread thread, in ProcStat stat, ExtendedKinds kinds)
    {
        if (thread.Extended?.Kinds != kinds)
            thread.Extended = new ExtendedCounters(kinds);
        ExtendedCounters extras = thread.Extended;
        if ((kinds & ExtendedKinds.Faults) != 0)
        {
            extras.MinorFaults = Known((long)stat.MinorFaults, extras.MinorFaults);
            extras.MajorFaults = Known((long)stat.MajorFaults, extras.MajorFaults);
        }
        if ((kinds & ExtendedKinds.LastCpu) != 0)
            extras.LastCpu = stat.Processor;
        if ((kinds & ExtendedKinds.ContextSwitches) != 0)
            ReadSwitches(process, thread.Tid, extras);
        if ((kinds & ExtendedKinds.Io) != 0)
            ReadIo(process, thread.Tid, extras);
    }

    /// <summary>A number that no counter reaches reads as negative: then the one before stands, and nothing else is lost.</summary>
    private static long Known(long now, long before) => now >= 0 ? now : before;

    private void ReadSwitches(WatchedProcess process, int tid, ExtendedCounters extras)
    {
        ReadStatus read = ReadFile(process, tid, "/status"u8, out ReadOnlySpan<byte> text);
        if (read == ReadStatus.Ok && ProcStatus.TryParse(text, out ProcStatus status))
        {
            extras.VoluntarySwitches = Known(status.VoluntarySwitches, extras.VoluntarySwitches);
            extras.InvoluntarySwitches = Known(status.InvoluntarySwitches, extras.InvoluntarySwitches);
        }
        else if (read == ReadStatus.Ok)
            read = ReadStatus.Malformed;
        Count(read);
    }

    private void ReadIo(WatchedProcess process, int tid, ExtendedCounters extras)
    {
        ReadStatus read = ReadFile(process, tid, "/io"u8, out ReadOnlySpan<byte> text);
        if (read == ReadStatus.Ok && ProcIo.TryParse(text, out ProcIo io))
        {
            extras.ReadBytes = Known(io.ReadBytes, extras.ReadBytes);
            extras.WriteBytes = Known(io.WriteBytes, extras.WriteBytes);
        }
        else if (read == ReadStatus.Ok)
            read = ReadStatus.Malformed;
        if (read == ReadStatus.Denied)
        {
            // A process that has changed its user: rather no series than one that stands still.
            (extras.ReadBytes, extras.WriteBytes) = (-1, -1);
            if (errors.IoDenied.Start())
                errors.Warn($"io of pid {process.Pid} cannot be read: that needs the same user, or CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE; such threads have no perfscale_thread_io_* series");
        }
        Count(read);
    }

    // A file that is not there is no error: the thread has ended, which its descriptor tells, or the kernel keeps no such accounts.
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
