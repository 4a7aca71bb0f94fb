using ThreadExporter.Linux;

namespace ThreadExporter.Procfs;

/// <summary>
/// <c>/proc/PID/task/TID/schedstat</c> (Documentation/scheduler/sched-stats.rst): time on a CPU and time on a run queue, both in nanoseconds, and
/// the number of timeslices. The time of a running thread is updated at the ticks of its CPU. A kernel without sched info writes <c>0 0 0</c> for
/// all threads (<see cref="ProcfsRoot.HasSchedInfo"/>). A value is -1 (unknown) when its number does not fit in a long.
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
