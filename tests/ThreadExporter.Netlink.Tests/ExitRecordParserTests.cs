using System.Text;

namespace ThreadExporter.Netlink.Tests;

public class ExitRecordParserTests
{
    private readonly List<ExitRecord> _records = [];
    private readonly ExitRecordParser _parser = new(Taskstats.Family);

    public static TheoryData<int, int, bool> Versions => new()
    {
        { 8, 328, false }, { 9, 344, false }, { 10, 352, false }, { 11, 368, false }, { 12, 400, false }, { 13, 416, false }, { 14, 432, false },
        { 14, 560, true }, { 15, 560, true }, { 16, 560, false }, { 17, 688, false },
    };

    [Theory]
    [MemberData(nameof(Versions))]
    public void Reads_every_field_of_a_version(int version, int length, bool inMiddle)
    {
        byte[] stats = Taskstats.Stats(version, new()
        {
            ["ac_flag"] = 0x20,
            ["ac_ppid"] = 17,
            ["ac_uid"] = 4_000_000_000,
            ["cpu_run_virtual_total"] = 1,
            ["cpu_delay_total"] = 2,
            ["cpu_count"] = 3,
            ["ac_utime"] = 4,
            ["ac_stime"] = 5,
            ["nvcsw"] = 6,
            ["nivcsw"] = 7,
            ["ac_minflt"] = 8,
            ["ac_majflt"] = 9,
            ["read_bytes"] = 10,
            ["write_bytes"] = 11,
            ["ac_btime"] = 12,
            ["ac_btime64"] = 13,
            ["ac_etime"] = 14,
        }, inMiddle: inMiddle);
        Assert.Equal(length, stats.Length);

        ExitRecord record = One(Taskstats.Message(Taskstats.Thread(stats)));

        Assert.Equal(Taskstats.Tid, record.Tid);
        Assert.Equal(version >= 12 ? Taskstats.Tgid : 0, record.Tgid);
        Assert.Equal(17, record.Ppid);
        Assert.Equal(4_000_000_000, record.Uid);
        Assert.True(record.IsLastThread);
        Assert.Equal("worker", Encoding.UTF8.GetString(record.Comm));
        Assert.Equal((1, 2, 3), (record.CpuNanoseconds, record.WaitNanoseconds, record.Timeslices));
        Assert.Equal((4_000, 5_000), (record.UserNanoseconds, record.KernelNanoseconds));
        Assert.Equal((6, 7, 8, 9), (record.VoluntarySwitches, record.InvoluntarySwitches, record.MinorFaults, record.MajorFaults));
        Assert.Equal((10, 11), (record.ReadBytes, record.WriteBytes));
        Assert.Equal(version >= 10 ? 13 : 12, record.StartSeconds);
        Assert.Equal(14_000, record.ElapsedNanoseconds);
        Assert.Equal((version, length, version >= 12), (_parser.Layout!.Version, _parser.Layout.Length, _parser.Layout.HasTgid));
    }

    [Fact]
    public void A_newer_version_has_the_fields_of_the_newest_known_one()
    {
        byte[] stats = [.. Taskstats.Stats(17), .. new byte[64]];
        stats[0] = 18;
        Assert.Equal(Taskstats.Tgid, One(Taskstats.Message(Taskstats.Thread(stats))).Tgid);
    }

    [Fact]
    public void A_version_that_is_too_old_or_too_short_is_malformed()
    {
        byte[] old = Taskstats.Stats(8);
        old[0] = 7;
        None(Taskstats.Message(Taskstats.Thread(old)), 1);
        Assert.Equal((7, 328), _parser.Unknown);
        None(Taskstats.Message(Taskstats.Thread(Taskstats.Stats(16)[..552])), 2);
        Assert.Equal((16, 552), _parser.Unknown);
        Assert.Null(_parser.Layout);
    }

    [Fact]
    public void The_first_valid_record_decides_about_the_layout()
    {
        None(Taskstats.Message(Taskstats.Thread(Taskstats.Stats(15), tid: 1)), 1);
        One(Taskstats.Message(Taskstats.Thread(Taskstats.Stats(16))));
        None(Taskstats.Message(Taskstats.Thread(Taskstats.Stats(14))), 2);
        One(Taskstats.Message(Taskstats.Thread(Taskstats.Stats(16))));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_record_of_the_process_is_skipped_and_marks_the_last_thread(bool processFirst)
    {
        byte[] thread = Taskstats.Thread(Taskstats.Stats(10)), process = Taskstats.Process(Taskstats.Stats(10));
        ExitRecord record = One(Taskstats.Message(processFirst ? [.. process, .. thread] : [.. thread, .. process]));
        Assert.Equal(Taskstats.Tid, record.Tid);
        Assert.True(record.IsLastThread);
        None(Taskstats.Message(process), 0);
        Assert.False(One(Taskstats.Message(thread)).IsLastThread);
    }

    [Fact]
    public void Attributes_for_alignment_and_flags_of_types_are_accepted()
    {
        byte[] padding = Taskstats.Attribute(Taskstats.NullType), stats = Taskstats.Attribute(Taskstats.StatsType, Taskstats.Stats(16));
        byte[] pid = Taskstats.Attribute(Taskstats.PidType, Taskstats.Number(Taskstats.Tid));
        One(Taskstats.Message([.. padding, .. Taskstats.Attribute(Taskstats.ThreadType, [.. pid, .. padding, .. stats])]));
        One(Taskstats.Message(Taskstats.Thread(Taskstats.Stats(16), nestedFlag: true)));
    }

    [Fact]
    public void Other_messages_are_skipped_and_several_in_a_datagram_are_read()
    {
        byte[] thread = Taskstats.Thread(Taskstats.Stats(16)), message = Taskstats.Message(thread);
        None(Taskstats.Message(thread, type: Taskstats.Family + 1), 0);
        None(Taskstats.Message(thread, command: 1), 0);
        None(Taskstats.Netlink(Taskstats.Number(0), type: 2), 0);
        _parser.Parse([.. message, .. Taskstats.Message(thread, type: 3), .. message], _records);
        Assert.Equal(2, _records.Count);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("0123456789abcdef0123", "0123456789abcde")]
    [InlineData("a) \n", "a) \n")]
    [InlineData("cut\0rest", "cut")]
    public void A_name_is_raw_bytes_up_to_the_NUL(string comm, string expected)
    {
        ExitRecord record = One(Taskstats.Message(Taskstats.Thread(Taskstats.Stats(16, comm: Taskstats.Ascii(comm)))));
        Assert.Equal(Taskstats.Ascii(expected), record.Comm);
    }

    [Fact]
    public void A_name_without_NUL_is_cut() =>
        Assert.Equal(Enumerable.Repeat((byte)0xFF, 15), One(Taskstats.Message(Taskstats.Thread(Taskstats.Stats(16, comm: [.. Enumerable.Repeat((byte)0xFF, 32)])))).Comm.ToArray());

    [Theory]
    [InlineData("cpu_run_virtual_total", ulong.MaxValue)]
    [InlineData("cpu_delay_total", 1UL << 63)]
    [InlineData("ac_utime", ulong.MaxValue / 1000)]
    [InlineData("ac_etime", ulong.MaxValue)]
    [InlineData("nvcsw", 1UL << 63)]
    [InlineData("ac_tgid", 1UL << 31)]
    [InlineData("ac_ppid", 1UL << 31)]
    [InlineData("ac_pid", 1)]
    public void A_number_out_of_range_is_malformed(string field, ulong value) =>
        None(Taskstats.Message(Taskstats.Thread(Taskstats.Stats(16, new() { [field] = value }))), 1);

    [Fact]
    public void A_part_of_a_thread_is_malformed()
    {
        byte[] stats = Taskstats.Attribute(Taskstats.StatsType, Taskstats.Stats(16));
        byte[] pid = Taskstats.Attribute(Taskstats.PidType, Taskstats.Number(Taskstats.Tid));
        long malformed = 0;
        foreach (byte[] part in (byte[][])[pid, stats, [.. Taskstats.Attribute(Taskstats.PidType, Taskstats.Number(0)), .. stats],
            [.. Taskstats.Attribute(Taskstats.PidType, 1, 2), .. stats], [.. pid, .. Taskstats.Attribute(Taskstats.StatsType)],
            [.. pid, .. Taskstats.Attribute(Taskstats.StatsType, 16)], []])
            None(Taskstats.Message(Taskstats.Attribute(Taskstats.ThreadType, part)), ++malformed);
        byte[] thread = Taskstats.Thread(Taskstats.Stats(16));
        None(Taskstats.Message([.. thread, .. thread]), ++malformed);
        None(Taskstats.Netlink([2, 1, 0], Taskstats.Family), ++malformed);
        None(Taskstats.Message([]), malformed);
    }

    private ExitRecord One(byte[] datagram)
    {
        long malformed = _parser.Malformed;
        _records.Clear();
        _parser.Parse(datagram, _records);
        Assert.Equal(malformed, _parser.Malformed);
        return Assert.Single(_records);
    }

    private void None(byte[] datagram, long malformed)
    {
        _records.Clear();
        _parser.Parse(datagram, _records);
        Assert.Empty(_records);
        Assert.Equal(malformed, _parser.Malformed);
    }
}
