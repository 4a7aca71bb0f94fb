using ThreadExporter.Linux;

namespace ThreadExporter.Procfs;

/// <summary><c>/proc/PID/statm</c> (proc_pid_statm(5)): memory in pages; -1: a number that does not fit in a long.</summary>
/// <param name="Size">All mapped memory.</param>
/// <param name="Resident">The part in memory. The kernel sums it from per-CPU counts, so it may lag by some pages.</param>
public readonly record struct ProcStatm(long Size, long Resident)
{
    public static bool TryParse(ReadOnlySpan<byte> text, out ProcStatm statm)
    {
        statm = default;
        if (!Digits.TryReadCount(ref text, out long size)
            || !Digits.TryTake(ref text, (byte)' ')
            || !Digits.TryReadCount(ref text, out long resident)
            || !Digits.TryTake(ref text, (byte)' '))
        {
            return false;
        }
        statm = new ProcStatm(size, resident);
        return true;
    }
}
