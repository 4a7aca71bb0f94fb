using ThreadExporter.Linux;

namespace ThreadExporter.Procfs;

/// <summary>
/// <c>/proc/stat</c>: proc_stat(5), the line <c>cpu</c> and the number of lines <c>cpuN</c>. Times are in nanoseconds, in steps of the clock tick, and
/// summed over the CPUs.
/// </summary>
/// <param name="Busy">user + nice + system + irq + softirq. Guests are part of user and nice.</param>
/// <param name="Steal">Time in which a hypervisor ran something else although a CPU was wanted.</param>
/// <param name="Cpus">CPUs that are online.</param>
public readonly record struct ProcHostStat(long Busy, long Steal, int Cpus)
{
    /// <summary>False without a complete line <c>cpu</c> of at least eight numbers, or without a CPU.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out ProcHostStat stat)
    {
        stat = default;
        bool hasSum = false;
        (long busy, long steal) = (0, 0);
        int cpus = 0;
        for (int end; (end = text.IndexOf((byte)'\n')) >= 0; text = text[(end + 1)..])
        {
            ReadOnlySpan<byte> line = text[..end];
            if (!line.StartsWith("cpu"u8))
                break;
            if (line.StartsWith("cpu "u8))
                hasSum = TryReadSum(line["cpu"u8.Length..], out busy, out steal);
            else
                cpus++;
        }
        if (hasSum && cpus > 0)
            stat = new ProcHostStat(busy, steal, cpus);
        return hasSum && cpus > 0;
    }

    private static bool TryReadSum(ReadOnlySpan<byte> line, out long busy, out long steal)
    {
        // user nice system idle iowait irq softirq steal
        const int Idle = 3, IoWait = 4, StolenAt = 7;
        (busy, steal) = (0, 0);
        line = line.TrimStart((byte)' ');
        for (int i = 0; i <= StolenAt; i++)
        {
            if (!Digits.TryReadULong(ref line, out ulong ticks) || (i < StolenAt && !Digits.TryTake(ref line, (byte)' ')))
                return false;
            long nanoseconds = Clocks.FromTicks(ticks);
            // A number that is out of range says nothing.
            if (nanoseconds < 0 || busy > long.MaxValue - nanoseconds)
                return false;
            if (i == StolenAt)
                steal = nanoseconds;
            else if (i is not (Idle or IoWait))
                busy += nanoseconds;
        }
        return true;
    }
}
