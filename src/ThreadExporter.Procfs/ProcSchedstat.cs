using ThreadExporter.Linux;

namespace ThreadExporter.Procfs;

/// <summary>
/// <c>/proc/PID/task/TID/schedstat</c> (Documentation/scheduler/sched-stats.rst): time on a CPU, time runnable but
/// waiting for one, both in nanoseconds, and the number of times it was put on a CPU. A running thread's time moves at
/// its CPU's ticks. A kernel without sched info writes <c>0 0 0</c> for all (<see cref="ProcfsRoot.HasSchedInfo"/>).
/// Each is -1 when the number does not fit in a long: then it alone is unknown.
/// </summary>
public readonly record struct ProcSchedstat(long RunNanoseconds, long WaitNanoseconds, long Timeslices)
{
    /// <summary>Strict: exactly three numbers of at most 64 bits, and the newline (without it a number may have been cut).</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out ProcSchedstat schedStat)
    {
        if (Digits.TryReadCount(ref text, out long run)
            && Digits.TryTake(ref text, (byte)' ')
            && Digits.TryReadCount(ref text, out long wait)
            && Digits.TryTake(ref text, (byte)' ')
            && Digits.TryReadCount(ref text, out long slices)
            && Digits.TryTake(ref text, (byte)'\n')
            && text.IsEmpty)
        {
            schedStat = new ProcSchedstat(run, wait, slices);
            return true;
        }
        schedStat = default;
        return false;
    }
}
