using ThreadExporter.Linux;

namespace ThreadExporter.Procfs;

/// <summary>
/// The CPU limit of a cgroup: <c>cpu.max</c> of version 2, or <c>cpu.cfs_quota_us</c> and <c>cpu.cfs_period_us</c> of version 1. In each period the
/// processes may use as much CPU time as the quota says.
/// </summary>
/// <param name="QuotaMicroseconds">-1: no limit.</param>
/// <param name="PeriodMicroseconds">More than 0.</param>
public readonly record struct CgroupCpuMax(long QuotaMicroseconds, long PeriodMicroseconds)
{
    private const long Billion = 1_000_000_000;

    /// <summary>The limit in billionths of a core; -1: none, or a number that does not fit in a long.</summary>
    public long Nanocores
    {
        get
        {
            if (QuotaMicroseconds < 0)
                return -1;
            Int128 cores = (Int128)QuotaMicroseconds * Billion / PeriodMicroseconds;
            return cores > long.MaxValue ? -1 : (long)cores;
        }
    }

    /// <summary>Version 2: <c>max 100000</c> or <c>50000 100000</c>, and the newline (without it a number may have been cut).</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out CgroupCpuMax limit)
    {
        limit = default;
        long quota = -1;
        if (text.StartsWith("max"u8))
            text = text["max".Length..];
        else if (!Digits.TryReadCount(ref text, out quota) || quota < 0)
            return false;
        if (!Digits.TryTake(ref text, (byte)' ') || !Digits.TryReadCount(ref text, out long period) || period <= 0 || !text.SequenceEqual("\n"u8))
            return false;
        limit = new CgroupCpuMax(quota, period);
        return true;
    }

    /// <summary>Version 1, from the texts of the two files. A negative quota means that there is no limit.</summary>
    public static bool TryParse(ReadOnlySpan<byte> quotaText, ReadOnlySpan<byte> periodText, out CgroupCpuMax limit)
    {
        limit = default;
        if (!CgroupNumber.TryParse(quotaText, out long quota) || !CgroupNumber.TryParse(periodText, out long period) || period <= 0)
            return false;
        limit = new CgroupCpuMax(quota, period);
        return true;
    }
}
