using System.Buffers.Binary;
using System.Text;

namespace ThreadExporter.Netlink.Tests;

/// <summary>
/// Datagrams as the kernel builds them. The offsets come from the order of the fields in include/uapi/linux/taskstats.h and the alignment of C,
/// not from the code under test. Little-endian, as the machines of the tests.
/// </summary>
internal static class Taskstats
{
    public const ushort Family = 0x21;
    public const int Tid = 4711, Tgid = 4700;

    public const ushort PidType = 1, TgidType = 2, StatsType = 3, ThreadType = 4, ProcessType = 5, NullType = 6;

    /// <summary>The fields of a version in their order: name and size. <paramref name="inMiddle"/>: the arrangement of version 15.</summary>
    private static IEnumerable<(string Name, int Size, int Alignment)> Fields(int version, bool inMiddle)
    {
        (string, int, int) U64(string name) => (name, 8, 8);
        IEnumerable<(string, int, int)> Delay(string name)
        {
            yield return U64(name + "_count");
            yield return U64(name + "_delay_total");
            if (inMiddle)
            {
                yield return U64(name + "_delay_max");
                yield return U64(name + "_delay_min");
            }
        }

        yield return ("version", 2, 2);
        yield return ("ac_exitcode", 4, 4);
        yield return ("ac_flag", 1, 1);
        yield return ("ac_nice", 1, 1);
        foreach ((string, int, int) field in ((string[])["cpu", "blkio", "swapin"]).SelectMany(Delay))
            yield return field;
        yield return U64("cpu_run_real_total");
        yield return U64("cpu_run_virtual_total");
        yield return ("ac_comm", 32, 1);
        yield return ("ac_sched", 1, 8);
        yield return ("ac_pad", 3, 1);
        yield return ("ac_uid", 4, 8);
        foreach (string name in (string[])["ac_gid", "ac_pid", "ac_ppid", "ac_btime"])
            yield return (name, 4, 4);
        foreach (string name in (string[])["ac_etime", "ac_utime", "ac_stime", "ac_minflt", "ac_majflt", "coremem", "virtmem", "hiwater_rss", "hiwater_vm",
            "read_char", "write_char", "read_syscalls", "write_syscalls", "read_bytes", "write_bytes", "cancelled_write_bytes", "nvcsw", "nivcsw",
            "ac_utimescaled", "ac_stimescaled", "cpu_scaled_run_real_total"])
            yield return U64(name);
        foreach ((string, int, int) field in Delay("freepages"))
            yield return field;
        if (version >= 9)
        {
            foreach ((string, int, int) field in Delay("thrashing"))
                yield return field;
        }
        if (version >= 10)
            yield return U64("ac_btime64");
        if (version >= 11)
        {
            foreach ((string, int, int) field in Delay("compact"))
                yield return field;
        }
        if (version >= 12)
        {
            yield return ("ac_tgid", 4, 4);
            foreach (string name in (string[])["ac_tgetime", "ac_exe_dev", "ac_exe_inode"])
                yield return U64(name);
        }
        if (version >= 13)
        {
            foreach ((string, int, int) field in Delay("wpcopy"))
                yield return field;
        }
        if (version >= 14)
        {
            foreach ((string, int, int) field in Delay("irq"))
                yield return field;
        }
        string[] delays = ["cpu", "blkio", "swapin", "freepages", "thrashing", "compact", "wpcopy", "irq"];
        if (version >= 16)
        {
            foreach (string name in delays)
            {
                yield return U64(name + "_delay_max");
                yield return U64(name + "_delay_min");
            }
        }
        if (version >= 17)
        {
            foreach (string name in delays)
                yield return (name + "_delay_max_ts", 16, 8);
        }
    }

    /// <summary>struct taskstats; every field that is not given has a value of its own.</summary>
    public static byte[] Stats(int version, Dictionary<string, ulong>? values = null, byte[]? comm = null, bool? inMiddle = null)
    {
        List<byte> bytes = [];
        ulong other = 1_000_000;
        Dictionary<string, ulong> known = new(values ?? [])
        {
            ["version"] = (ulong)version,
        };
        known.TryAdd("ac_pid", Tid);
        known.TryAdd("ac_tgid", Tgid);
        known.TryAdd("ac_flag", 0);
        foreach ((string name, int size, int alignment) in Fields(version, inMiddle ?? version == 15))
        {
            while (bytes.Count % alignment != 0)
                bytes.Add(0xEE);
            byte[] field = new byte[Math.Max(size, 16)];
            if (name == "ac_comm")
                field = [.. comm ?? "worker"u8.ToArray(), .. new byte[32]];
            else
                BinaryPrimitives.WriteUInt64LittleEndian(field, known.TryGetValue(name, out ulong value) ? value : ++other);
            bytes.AddRange(field[..size]);
        }
        while (bytes.Count % 8 != 0)
            bytes.Add(0xEE);
        return [.. bytes];
    }

    public static byte[] Attribute(ushort type, params byte[] value)
    {
        byte[] attribute = new byte[4 + ((value.Length + 3) / 4 * 4)];
        BinaryPrimitives.WriteUInt16LittleEndian(attribute, (ushort)(4 + value.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(attribute.AsSpan(2), type);
        value.CopyTo(attribute, 4);
        return attribute;
    }

    public static byte[] Number(uint value) => BitConverter.GetBytes(value);

    /// <summary>TASKSTATS_TYPE_AGGR_PID, with the flag for nested attributes, which newer kernels may set.</summary>
    public static byte[] Thread(byte[] stats, int tid = Tid, bool nestedFlag = false) =>
        Attribute((ushort)(ThreadType | (nestedFlag ? 0x8000 : 0)), [.. Attribute(PidType, Number((uint)tid)), .. Attribute(StatsType, stats)]);

    public static byte[] Process(byte[] stats) => Attribute(ProcessType, [.. Attribute(TgidType, Number(Tgid)), .. Attribute(StatsType, stats)]);

    public static byte[] Message(byte[] payload, ushort type = Family, byte command = 2, uint sequence = 0) =>
        Netlink([command, 1, 0, 0, .. payload], type, sequence);

    /// <summary>struct nlmsghdr and what follows it.</summary>
    public static byte[] Netlink(byte[] payload, ushort type, uint sequence = 0)
    {
        byte[] message = new byte[(16 + payload.Length + 3) / 4 * 4];
        BinaryPrimitives.WriteUInt32LittleEndian(message, (uint)(16 + payload.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(4), type);
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(8), sequence);
        payload.CopyTo(message, 16);
        return message;
    }

    public static byte[] Ascii(string text) => Encoding.ASCII.GetBytes(text);
}
