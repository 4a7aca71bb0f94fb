using ThreadExporter.Linux;

namespace ThreadExporter.Procfs;

/// <summary><c>cpu.pressure</c> of a cgroup of version 2: pressure stall information (Documentation/accounting/psi.rst).</summary>
/// <param name="SomeNanoseconds">
/// Line <c>some</c>, <c>total</c>: time in which at least one task waited for a CPU; -1: it does not fit in a long.
/// </param>
public readonly record struct CgroupPressure(long SomeNanoseconds)
{
    /// <summary>False when the first line is not <c>some … total=NUMBER</c> with its newline. What follows it is not read.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out CgroupPressure pressure)
    {
        pressure = default;
        int end = text.IndexOf((byte)'\n');
        if (end < 0 || !text.StartsWith("some "u8))
            return false;
        ReadOnlySpan<byte> line = text[..end];
        int total = line.IndexOf(" total="u8);
        if (total < 0)
            return false;
        line = line[(total + " total=".Length)..];
        if (!Digits.TryReadCount(ref line, out long microseconds) || !line.IsEmpty)
            return false;
        pressure = new CgroupPressure(CgroupCpuStat.ToNanoseconds(microseconds));
        return true;
    }
}
