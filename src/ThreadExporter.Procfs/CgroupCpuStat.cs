using ThreadExporter.Linux;

namespace ThreadExporter.Procfs;

/// <summary>
/// <c>cpu.stat</c> of a cgroup, of version 2 (Documentation/admin-guide/cgroup-v2.rst) or 1 (Documentation/scheduler/sched-bwc.rst). A value is -1
/// when its line is missing or its number does not fit in a long.
/// </summary>
/// <param name="CpuNanoseconds">Line <c>usage_usec</c>; version 2 only.</param>
/// <param name="Periods">Line <c>nr_periods</c>: periods in which the limit was enforced. Version 2 has it where the cpu controller is enabled.</param>
/// <param name="ThrottledPeriods">Line <c>nr_throttled</c>: those in which the quota was used up.</param>
/// <param name="ThrottledNanoseconds">
/// Line <c>throttled_usec</c>, or <c>throttled_time</c> (version 1, nanoseconds). Both are sums over the CPUs' run queues.
/// </param>
public readonly record struct CgroupCpuStat(long CpuNanoseconds, long Periods, long ThrottledPeriods, long ThrottledNanoseconds)
{
    private const long NanosecondsPerMicrosecond = 1000;

    /// <summary>
    /// False without any of these lines, or when one has anything but its number. Other lines are skipped. A last line without its newline was cut
    /// and counts as missing.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out CgroupCpuStat stat)
    {
        stat = default;
        bool isFound = false;
        long cpu = -1, periods = -1, throttledPeriods = -1, throttled = -1;
        for (int end; (end = text.IndexOf((byte)'\n')) >= 0; text = text[(end + 1)..])
        {
            ReadOnlySpan<byte> line = text[..end];
            int space = line.IndexOf((byte)' ');
            if (space < 0)
                return false;
            ReadOnlySpan<byte> key = line[..space], value = line[(space + 1)..];
            bool isValid;
            if (key.SequenceEqual("usage_usec"u8))
                isValid = TryReadMicroseconds(value, out cpu);
            else if (key.SequenceEqual("nr_periods"u8))
                isValid = TryReadCount(value, out periods);
            else if (key.SequenceEqual("nr_throttled"u8))
                isValid = TryReadCount(value, out throttledPeriods);
            else if (key.SequenceEqual("throttled_usec"u8))
                isValid = TryReadMicroseconds(value, out throttled);
            else if (key.SequenceEqual("throttled_time"u8))
                isValid = TryReadCount(value, out throttled);
            else
                continue;
            if (!isValid)
                return false;
            isFound = true;
        }
        if (isFound)
            stat = new CgroupCpuStat(cpu, periods, throttledPeriods, throttled);
        return isFound;
    }

    private static bool TryReadCount(ReadOnlySpan<byte> value, out long count) => Digits.TryReadCount(ref value, out count) && value.IsEmpty;

    private static bool TryReadMicroseconds(ReadOnlySpan<byte> value, out long nanoseconds)
    {
        bool isValid = TryReadCount(value, out long microseconds);
        nanoseconds = ToNanoseconds(microseconds);
        return isValid;
    }

    /// <summary>-1: unknown, or it does not fit in a long.</summary>
    internal static long ToNanoseconds(long microseconds) =>
        microseconds < 0 || microseconds > long.MaxValue / NanosecondsPerMicrosecond ? -1 : microseconds * NanosecondsPerMicrosecond;
}
