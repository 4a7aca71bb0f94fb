using ThreadExporter.Linux;

namespace ThreadExporter.Procfs;

/// <summary>
/// A list of CPUs as the kernel prints it, for example <c>0-3,8</c> (cpuset(7), list format): <c>Cpus_allowed_list</c> of
/// <c>/proc/PID/task/TID/status</c>.
/// </summary>
public static class CpuList
{
    /// <summary>The CPUs that a thread may run on.</summary>
    /// <param name="status">The text of the thread's <c>status</c>.</param>
    /// <param name="list">The list as text; empty on failure.</param>
    /// <param name="count">How many CPUs it has.</param>
    /// <returns>False when the status lacks the line, or the line does not contain a valid list.</returns>
    public static bool TryFindAllowed(ReadOnlySpan<byte> status, out string list, out int count)
    {
        (list, count) = ("", 0);
        ReadOnlySpan<byte> key = "\nCpus_allowed_list:\t"u8;
        int start = status.IndexOf(key);
        if (start < 0)
            return false;
        ReadOnlySpan<byte> rest = status[(start + key.Length)..];
        int end = rest.IndexOf((byte)'\n');
        if (end <= 0 || !TryCount(rest[..end], out count))
            return false;
        list = System.Text.Encoding.ASCII.GetString(rest[..end]);
        return true;
    }

    /// <summary>The number of CPUs in a list.</summary>
    public static bool TryCount(ReadOnlySpan<byte> list, out int count)
    {
        count = 0;
        int next = 0;
        while (true)
        {
            if (!Digits.TryReadInt(ref list, out int first) || first < next)
                return false;
            int last = first;
            if (Digits.TryTake(ref list, (byte)'-') && (!Digits.TryReadInt(ref list, out last) || last < first))
                return false;
            if (last == int.MaxValue || count > int.MaxValue - (last - first) - 1)
                return false;
            count += last - first + 1;
            next = last + 1;
            if (list.IsEmpty)
                return true;
            if (!Digits.TryTake(ref list, (byte)','))
                return false;
        }
    }
}
