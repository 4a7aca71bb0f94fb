using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace ThreadExporter.Netlink;

/// <summary>
/// Reads the datagrams that taskstats sends when threads exit (taskstats_exit, kernel/taskstats.c). It throws nothing whatever the bytes are,
/// and allocates nothing but the list's growth. The first valid record decides about the layout: the version of a running kernel does not change.
/// </summary>
/// <param name="family">The number of the family TASKSTATS.</param>
/// <param name="ignoreTgid">Reads the records as if they had no ac_tgid: for tests.</param>
public sealed class ExitRecordParser(ushort family, bool ignoreTgid = false)
{
    private const byte NewRecord = 2; // TASKSTATS_CMD_NEW
    private const ushort PidAttribute = 1, StatsAttribute = 3, ThreadAttribute = 4, ProcessAttribute = 5; // TASKSTATS_TYPE_PID, _STATS, _AGGR_PID, _AGGR_TGID
    private const byte LastThreadFlag = 0x20; // AGROUP, include/uapi/linux/acct.h
    private const long NanosecondsPerMicrosecond = 1000;

    /// <summary>How many messages of the family could not be read: garbage, a part of a message, another layout than before.</summary>
    public long Malformed { get; private set; }

    /// <summary>Where the fields are; null before the first valid record.</summary>
    public TaskstatsLayout? Layout { get; private set; }

    /// <summary>The version and size in bytes of the last record that did not fit the layout of its version; 0 when there was none.</summary>
    public (int Version, int Length) Unknown { get; private set; }

    /// <summary>Adds the records of a datagram. Messages of other families, and records of whole processes, are skipped.</summary>
    public void Parse(ReadOnlySpan<byte> datagram, List<ExitRecord> into)
    {
        ArgumentNullException.ThrowIfNull(into);
        NetlinkMessages messages = new(datagram);
        while (messages.MoveNext())
        {
            if (messages.Type != family)
                continue;
            if (messages.Payload.Length < GenericNetlink.HeaderSize)
                Malformed++;
            else if (messages.Payload[0] == NewRecord)
                ParseMessage(messages.Payload[GenericNetlink.HeaderSize..], into);
        }
        if (messages.IsMalformed)
            Malformed++;
    }

    /// <summary>Counts a datagram that could not be received whole.</summary>
    internal void CountMalformed() => Malformed++;

    private void ParseMessage(ReadOnlySpan<byte> message, List<ExitRecord> into)
    {
        int tid = 0;
        bool wholeProcess = false, valid = true;
        ReadOnlySpan<byte> stats = default;
        NetlinkAttributes attributes = new(message);
        while (attributes.MoveNext())
        {
            // The record of the process comes with that of its last thread.
            wholeProcess |= attributes.Type == ProcessAttribute;
            if (attributes.Type == ThreadAttribute)
                valid &= stats.IsEmpty && TryReadThread(attributes.Value, out tid, out stats);
        }
        if (!valid || attributes.IsMalformed)
            Malformed++;
        else if (!stats.IsEmpty && TryReadStats(stats, tid, wholeProcess, out ExitRecord record))
            into.Add(record);
        else if (!stats.IsEmpty)
            Malformed++;
    }

    private static bool TryReadThread(ReadOnlySpan<byte> attribute, out int tid, out ReadOnlySpan<byte> stats)
    {
        tid = 0;
        stats = default;
        NetlinkAttributes attributes = new(attribute);
        // There may be attributes without contents between them, for alignment (TASKSTATS_TYPE_NULL).
        while (attributes.MoveNext())
        {
            if (attributes.Type == PidAttribute && attributes.Value.Length == sizeof(int))
                tid = MemoryMarshal.Read<int>(attributes.Value);
            else if (attributes.Type == StatsAttribute)
                stats = attributes.Value;
        }
        return !attributes.IsMalformed && tid > 0 && !stats.IsEmpty;
    }

    private bool TryReadStats(ReadOnlySpan<byte> stats, int tid, bool wholeProcess, out ExitRecord record)
    {
        record = default;
        if (!TryFindLayout(stats, out TaskstatsLayout? layout))
            return false;
        if (Int(stats, layout.Pid) != tid)
        {
            Unknown = (layout.Version, layout.Length);
            return false;
        }
        record = new ExitRecord
        {
            Tid = tid,
            Tgid = layout.HasTgid ? Int(stats, layout.Tgid) : 0,
            Ppid = Int(stats, layout.Ppid),
            Uid = (uint)Int(stats, layout.Uid),
            Comm = stats.Slice(layout.Comm, TaskstatsLayout.CommSize),
            IsLastThread = wholeProcess || (stats[TaskstatsLayout.Flags] & LastThreadFlag) != 0,
            CpuNanoseconds = Long(stats, layout.CpuRunVirtualTotal),
            WaitNanoseconds = Long(stats, TaskstatsLayout.CpuDelayTotal),
            Timeslices = Long(stats, TaskstatsLayout.CpuCount),
            UserNanoseconds = Microseconds(stats, layout.UserTime),
            KernelNanoseconds = Microseconds(stats, layout.KernelTime),
            VoluntarySwitches = Long(stats, layout.VoluntarySwitches),
            InvoluntarySwitches = Long(stats, layout.InvoluntarySwitches),
            MinorFaults = Long(stats, layout.MinorFaults),
            MajorFaults = Long(stats, layout.MajorFaults),
            ReadBytes = Long(stats, layout.ReadBytes),
            WriteBytes = Long(stats, layout.WriteBytes),
            StartSeconds = layout.StartTime64 >= 0 ? Long(stats, layout.StartTime64) : (uint)Int(stats, layout.StartTime),
            ElapsedNanoseconds = Microseconds(stats, layout.ElapsedTime),
        };
        // The kernel's numbers are unsigned; none of them gets so large that its sign changes.
        long all = record.CpuNanoseconds | record.WaitNanoseconds | record.Timeslices | record.UserNanoseconds | record.KernelNanoseconds
            | record.VoluntarySwitches | record.InvoluntarySwitches | record.MinorFaults | record.MajorFaults
            | record.ReadBytes | record.WriteBytes | record.StartSeconds | record.ElapsedNanoseconds;
        if (all < 0 || (record.Tgid | record.Ppid) < 0)
            return false;
        Layout = layout;
        return true;
    }

    private bool TryFindLayout(ReadOnlySpan<byte> stats, [NotNullWhen(true)] out TaskstatsLayout? layout)
    {
        layout = null;
        if (stats.Length < sizeof(ushort))
            return false;
        int version = MemoryMarshal.Read<ushort>(stats);
        if (Layout is null)
            layout = ignoreTgid ? TaskstatsLayout.For(version, stats.Length)?.WithoutTgid() : TaskstatsLayout.For(version, stats.Length);
        else if (Layout.Version == version && Layout.Length == stats.Length)
            layout = Layout;
        if (layout is null)
            Unknown = (version, stats.Length);
        return layout is not null;
    }

    private static int Int(ReadOnlySpan<byte> stats, int offset) => MemoryMarshal.Read<int>(stats[offset..]);

    private static long Long(ReadOnlySpan<byte> stats, int offset) => MemoryMarshal.Read<long>(stats[offset..]);

    /// <summary>In nanoseconds; -1 when that is out of range.</summary>
    private static long Microseconds(ReadOnlySpan<byte> stats, int offset)
    {
        long microseconds = Long(stats, offset);
        return (ulong)microseconds <= long.MaxValue / NanosecondsPerMicrosecond ? microseconds * NanosecondsPerMicrosecond : -1;
    }
}
