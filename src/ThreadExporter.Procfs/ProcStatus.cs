using ThreadExporter.Linux;

namespace ThreadExporter.Procfs;

/// <summary>The lines of <c>/proc/PID/status</c> that the exporter uses: proc_pid_status(5).</summary>
/// <param name="EffectiveUid">Line <c>Uid</c>, second number.</param>
/// <param name="NspidCount">
/// The number of pids on line <c>NSpid</c>: one for each pid namespace, from that of the procfs inwards. 0: no such line (before Linux 4.1).
/// </param>
/// <param name="Nspid">The first of them, or 0.</param>
/// <param name="VoluntarySwitches">Line <c>voluntary_ctxt_switches</c>; -1: no such line, or a number that does not fit in a long.</param>
/// <param name="InvoluntarySwitches">Line <c>nonvoluntary_ctxt_switches</c>; -1 as above.</param>
public readonly record struct ProcStatus(uint EffectiveUid, int NspidCount, int Nspid, long VoluntarySwitches, long InvoluntarySwitches)
{
    /// <summary>
    /// False without a <c>Uid</c> line, or when a used line has anything but its numbers. A last line without its newline was cut by the buffer
    /// (<c>Groups</c> may be very long) and counts as missing.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out ProcStatus status)
    {
        status = default;
        bool hasUid = false;
        uint uid = 0;
        int nspidCount = 0, nspid = 0;
        long voluntary = -1, involuntary = -1;
        for (int end; (end = text.IndexOf((byte)'\n')) >= 0; text = text[(end + 1)..])
        {
            ReadOnlySpan<byte> line = text[..end];
            int colon = line.IndexOf((byte)':');
            if (colon < 0)
                return false;
            ReadOnlySpan<byte> values = line[(colon + 1)..];
            ReadOnlySpan<byte> key = line[..colon];
            bool valid = true;
            if (key.SequenceEqual("Uid"u8))
                valid = hasUid = TryReadUid(values, out uid);
            else if (key.SequenceEqual("NSpid"u8))
                valid = TryReadNspid(values, out nspidCount, out nspid);
            else if (key.SequenceEqual("voluntary_ctxt_switches"u8))
                valid = TryReadCount(values, out voluntary);
            else if (key.SequenceEqual("nonvoluntary_ctxt_switches"u8))
                valid = TryReadCount(values, out involuntary);
            if (!valid)
                return false;
        }
        if (hasUid)
            status = new ProcStatus(uid, nspidCount, nspid, voluntary, involuntary);
        return hasUid;
    }

    private static bool TryReadUid(ReadOnlySpan<byte> values, out uint effective)
    {
        return TryNext(ref values, out _) & TryNext(ref values, out effective) & TryNext(ref values, out _) & TryNext(ref values, out _)
            && values.IsEmpty;

        static bool TryNext(ref ReadOnlySpan<byte> values, out uint value)
        {
            value = 0;
            return Digits.TryTake(ref values, (byte)'\t') && Digits.TryReadUInt(ref values, out value);
        }
    }

    private static bool TryReadNspid(ReadOnlySpan<byte> values, out int count, out int first)
    {
        count = first = 0;
        while (!values.IsEmpty)
        {
            if (!Digits.TryTake(ref values, (byte)'\t') || !Digits.TryReadInt(ref values, out int pid))
                return false;
            if (count++ == 0)
                first = pid;
        }
        return count > 0;
    }

    private static bool TryReadCount(ReadOnlySpan<byte> values, out long count)
    {
        count = -1;
        return Digits.TryTake(ref values, (byte)'\t') && Digits.TryReadCount(ref values, out count) && values.IsEmpty;
    }
}
