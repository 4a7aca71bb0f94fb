using ThreadExporter.Linux;

namespace ThreadExporter.Procfs;

/// <summary>
/// The last two fields of <c>/proc/loadavg</c>: proc_loadavg(5). Starting a process or a thread moves the last pid, ending one lowers the number of
/// tasks. So while neither changes, /proc lists the same processes.
/// </summary>
/// <param name="Tasks">Processes and threads of the machine.</param>
/// <param name="LastPid">The pid that was given out last in the pid namespace of the reader.</param>
public readonly record struct ProcLoadavg(int Tasks, int LastPid)
{
    /// <summary>False also for numbers that are not above 0, as other kernels' substitutes for this file have them.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out ProcLoadavg loadavg)
    {
        loadavg = default;
        // 0.20 0.18 0.12 1/80 11206
        int slash = text.IndexOf((byte)'/');
        ReadOnlySpan<byte> rest = text[(slash + 1)..];
        if (slash < 0 || !Digits.TryReadULong(ref rest, out ulong tasks) || !Digits.TryTake(ref rest, (byte)' ')
            || !Digits.TryReadULong(ref rest, out ulong last) || !rest.SequenceEqual("\n"u8))
            return false;
        if (tasks is 0 or > int.MaxValue || last is 0 or > int.MaxValue)
            return false;
        loadavg = new ProcLoadavg((int)tasks, (int)last);
        return true;
    }
}
