using ThreadExporter.Linux;

namespace ThreadExporter.Procfs;

/// <summary>
/// Two counters of <c>/proc/PID/task/TID/io</c> (proc_pid_io(5)): bytes that the thread caused to be read from and written to storage. For a
/// process of another user, opening the file requires CAP_DAC_READ_SEARCH (its mode is 0400), and reading it CAP_SYS_PTRACE as well.
/// </summary>
/// <param name="ReadBytes">Line <c>read_bytes</c>; -1: a number that does not fit in a long.</param>
/// <param name="WriteBytes">Line <c>write_bytes</c>: pages made dirty, whenever they are written out; -1 as above.</param>
public readonly record struct ProcIo(long ReadBytes, long WriteBytes)
{
    /// <summary>False when one of the two lines is missing, cut, repeated, or has anything but a number.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out ProcIo io)
    {
        io = default;
        long read = 0, write = 0;
        bool hasRead = false, hasWrite = false;
        for (int end; (end = text.IndexOf((byte)'\n')) >= 0; text = text[(end + 1)..])
        {
            ReadOnlySpan<byte> line = text[..end];
            if (line.StartsWith("read_bytes: "u8) && (hasRead || !(hasRead = TryReadCount(line["read_bytes: ".Length..], out read))))
                return false;
            if (line.StartsWith("write_bytes: "u8) && (hasWrite || !(hasWrite = TryReadCount(line["write_bytes: ".Length..], out write))))
                return false;
        }
        if (!hasRead || !hasWrite)
            return false;
        io = new ProcIo(read, write);
        return true;
    }

    private static bool TryReadCount(ReadOnlySpan<byte> value, out long count) => Digits.TryReadCount(ref value, out count) && value.IsEmpty;
}
