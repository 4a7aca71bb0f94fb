using ThreadExporter.Linux;

namespace ThreadExporter.Procfs;

/// <summary>A file of cgroup version 1 with one number: <c>cpuacct.usage</c> (nanoseconds), <c>cpu.cfs_quota_us</c>, <c>cpu.cfs_period_us</c>.</summary>
public static class CgroupNumber
{
    /// <summary>
    /// Strict: one number and the newline. Every negative number is read as -1, and so is a number that does not fit in a long.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out long value)
    {
        bool isNegative = Digits.TryTake(ref text, (byte)'-');
        bool isValid = Digits.TryReadCount(ref text, out value) && text.SequenceEqual("\n"u8);
        value = !isValid ? 0 : isNegative ? -1 : value;
        return isValid;
    }
}
