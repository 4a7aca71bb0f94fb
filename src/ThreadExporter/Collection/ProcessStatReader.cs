using ThreadExporter.Linux;
using ThreadExporter.Model;
using ThreadExporter.Procfs;

namespace ThreadExporter.Collection;

/// <summary>Reads the <c>stat</c> of a watched process: its times in clock ticks, its number of threads, its parent.</summary>
internal sealed class ProcessStatReader(ProcfsRoot root, CollectionDiagnostics errors)
{
    // The parent of a process in a group is read again at least once in so many collections.
    private const int ParentEvery = 8;

    private readonly byte[] _buffer = new byte[4096];

    /// <summary>Reads user and kernel time, and the waited-for time of a process outside of groups.</summary>
    /// <returns>Gone: the process has exited. Any error leaves the previous values.</returns>
    public ReadStatus Read(WatchedProcess process, out int threads)
    {
        ReadStatus status = ReadFile(process, out ProcStat stat);
        threads = stat.NumThreads;
        if (status != ReadStatus.Ok)
            return status;
        (long user, long kernel) = (stat.UserNanoseconds, stat.KernelNanoseconds);
        errors.CountReadError((user | kernel) < 0 ? ReadStatus.Malformed : ReadStatus.Ok);
        (process.Reading.User, process.Reading.Kernel) = (Math.Max(process.Reading.User, user), Math.Max(process.Reading.Kernel, kernel));
        if (!process.Filter.Config.Group)
            TakeWaited(process, stat);
        return ReadStatus.Ok;
    }

    /// <summary>Reads the waited-for time and the parent of a process in a group. An error leaves the previous values.</summary>
    public void ReadWaited(WatchedProcess process, in CollectionPass pass)
    {
        long clock = -1;
        bool hasClock = root.SharesPidNamespace && Clocks.TryGetProcessCpu(process.Pid, out clock);
        // To wait for a child a process must run. Its parent changes without that, but only when it becomes an orphan. The clock of a process that
        // is running lags by up to a tick, so an equal clock does not prove that the last value is still right: it only delays the next one.
        if (hasClock && clock == process.Reading.WaitedClock && pass.Number % ParentEvery != 0)
            return;
        ReadStatus status = ReadFile(process, out ProcStat stat);
        errors.CountReadError(status);
        if (status != ReadStatus.Ok)
            return;
        process.Reading.ParentPid = stat.Ppid;
        // Of a process that comes into a group all times begin with the same reading.
        (process.Reading.User, process.Reading.Kernel) = (Math.Max(process.Reading.User, stat.UserNanoseconds), Math.Max(process.Reading.Kernel, stat.KernelNanoseconds));
        TakeWaited(process, stat);
        process.Reading.WaitedClock = clock;
        process.Reading.WaitedInPass = pass.Number;
    }

    private ReadStatus ReadFile(WatchedProcess process, out ProcStat stat)
    {
        stat = default;
        ReadStatus status = RawFile.ReadOnce(process.Directory, "stat"u8, _buffer, out int length);
        if (status != ReadStatus.Ok)
            return status;
        if (!ProcStat.TryParse(_buffer.AsSpan(0, length), out stat))
            return ReadStatus.Malformed;
        return stat.StartTicks == process.StartTicks ? ReadStatus.Ok : ReadStatus.Gone;
    }

    // A value that is out of range, or lower than before, leaves the previous one.
    private static void TakeWaited(WatchedProcess process, in ProcStat stat)
    {
        (long user, long kernel) = stat.WaitedNanoseconds;
        process.Reading.Waited = new CpuTimes(Math.Max(process.Reading.Waited.User, user), Math.Max(process.Reading.Waited.Kernel, kernel));
    }
}
