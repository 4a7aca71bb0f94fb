using ThreadExporter.Linux;
using static ThreadExporter.Procfs.Tests.Fixture;

namespace ThreadExporter.Procfs.Tests;

public class ProcStatTests
{
    private const string Plain = "plain";

    [Theory]
    [InlineData(Plain, "ceph-osd")]
    [InlineData("parentheses-and-spaces", "((a b ) ( c d) )")]
    [InlineData("quotes", "say \"it's\"")]
    [InlineData("backslash", @"a\nb\")]
    [InlineData("newline", "two\nlines) S 1")]
    [InlineData("only-parentheses", ")))(((")]
    [InlineData("not-utf8", @"caf\xe9\xff\xc3(")]
    [InlineData("utf8", "нить-é")]
    [InlineData("fifteen-bytes", "abcdefghijklmno")]
    [InlineData("empty-name", "")]
    [InlineData("more-fields", "x")]
    [InlineData("ends-at-39", "x")]
    public void A_name_does_not_shift_fields(string file, string comm)
    {
        Assert.True(ProcStat.TryParse(Read("stat/" + file), out ProcStat stat));

        Assert.Equal(comm, ProcText.Decode(stat.Comm));
        Assert.Equal(4210, stat.Pid);
        Assert.Equal((byte)'S', stat.State);
        Assert.Equal(404, stat.Ppid);
        Assert.Equal(4194560u, stat.Flags);
        Assert.Equal(1010u, stat.MinorFaults);
        Assert.Equal(1212u, stat.MajorFaults);
        Assert.Equal(1414u, stat.UserTicks);
        Assert.Equal(1515u, stat.KernelTicks);
        Assert.Equal(1414 * Clocks.NanosecondsPerTick, stat.UserNanoseconds);
        Assert.Equal(1515 * Clocks.NanosecondsPerTick, stat.KernelNanoseconds);
        Assert.Equal(20, stat.NumThreads);
        Assert.Equal(2222u, stat.StartTicks);
        Assert.Equal(3, stat.Processor);
    }

    [Theory]
    [InlineData("kworker", 'I', 2, 20)]
    [InlineData("zombie", 'Z', 404, 1)]
    [InlineData("exiting-thread", 'X', 404, 0)]
    public void States_with_unusual_values(string file, char state, int ppid, int threads)
    {
        Assert.True(ProcStat.TryParse(Read("stat/" + file), out ProcStat stat));
        Assert.Equal((byte)state, stat.State);
        Assert.Equal(ppid, stat.Ppid);
        Assert.Equal(threads, stat.NumThreads);
    }

    [Fact]
    public void A_kworker_has_more_than_fifteen_bytes()
    {
        Assert.True(ProcStat.TryParse(Read("stat/kworker"), out ProcStat stat));
        Assert.Equal("kworker/u513:12-events_freezable_power_efficient_and_longer!", ProcText.Decode(stat.Comm));
        Assert.Equal(60, stat.Comm.Length);
    }

    [Theory]
    [InlineData(2, "0", "2129984", true)] // kthreadd
    [InlineData(33, "2", "69238880", true)] // kworker
    [InlineData(33, "2", "4194560", false)] // a helper program started by the kernel
    [InlineData(2, "1", "4194560", false)] // pid 2 of a pid namespace
    public void A_kernel_thread_has_a_flag(int pid, string ppid, string flags, bool kernelThread)
    {
        string[] fields = System.Text.Encoding.Latin1.GetString(Read("stat/" + Plain)).Split(' ');
        (fields[0], fields[3], fields[8]) = (pid.ToString(System.Globalization.CultureInfo.InvariantCulture), ppid, flags);
        Assert.True(ProcStat.TryParse(Latin1(string.Join(' ', fields)), out ProcStat stat));
        Assert.Equal(kernelThread, stat.IsKernelThread);
    }

    [Theory]
    [InlineData("S", "2", false)]
    [InlineData("Z", "1", false)] // all threads have exited
    [InlineData("Z", "2", true)]
    [InlineData("X", "2", true)]
    public void A_main_thread_may_exit_before_other_threads(string state, string threads, bool ended)
    {
        string[] fields = System.Text.Encoding.Latin1.GetString(Read("stat/" + Plain)).Split(' ');
        (fields[2], fields[19]) = (state, threads);
        Assert.True(ProcStat.TryParse(Latin1(string.Join(' ', fields)), out ProcStat stat));
        Assert.Equal(ended, stat.LeaderHasEnded);
    }

    [Fact]
    public void The_smallest_values()
    {
        Assert.True(ProcStat.TryParse(Read("stat/all-zero"), out ProcStat stat));
        Assert.Equal(0, stat.Pid);
        Assert.Equal(0, stat.Ppid);
        Assert.Equal(0u, stat.UserTicks);
        Assert.Equal(0u, stat.StartTicks);
        Assert.Equal(0, stat.Processor);
    }

    [Fact]
    public void The_largest_values()
    {
        Assert.True(ProcStat.TryParse(Read("stat/largest"), out ProcStat stat));
        Assert.Equal(int.MaxValue, stat.Pid);
        Assert.Equal(int.MaxValue, stat.Ppid);
        Assert.Equal(uint.MaxValue, stat.Flags);
        Assert.Equal(ulong.MaxValue, stat.MinorFaults);
        Assert.Equal(ulong.MaxValue, stat.MajorFaults);
        Assert.Equal(Clocks.LongestTicks, stat.UserTicks);
        Assert.Equal(Clocks.LongestTicks, stat.KernelTicks);
        Assert.Equal(int.MaxValue, stat.NumThreads);
        Assert.Equal(Clocks.LongestTicks, stat.StartTicks);
        Assert.Equal(int.MaxValue, stat.Processor);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("\0\0\0\0\0\0\0\0")]
    [InlineData("\xff\xfe(\x80)\x90")]
    [InlineData("()")]
    [InlineData("(")]
    [InlineData(")")]
    [InlineData("1 )( S 1 2\n")]
    [InlineData("1 (x)")]
    [InlineData("1 (x) ")]
    [InlineData("1 (x) S")]
    [InlineData("1 (x) S 1")]
    public void Not_a_stat(string text) => AssertMalformed(Latin1(text));

    /// <summary>Each replaces one field of a valid line (1 pid, 2 name, 3 state, …) with a value that the kernel never writes.</summary>
    [Theory]
    [InlineData(1, "")]
    [InlineData(1, "-1")]
    [InlineData(1, "42x0")]
    [InlineData(1, "2147483648")]
    [InlineData(2, "ceph-osd")]
    [InlineData(2, "(ceph-osd")]
    [InlineData(2, "ceph-osd)")]
    [InlineData(3, "")]
    [InlineData(3, "SS")]
    [InlineData(3, "5")]
    [InlineData(3, "\xe9")]
    [InlineData(3, "S\t")]
    [InlineData(4, "-1")]
    [InlineData(4, "2147483648")]
    [InlineData(8, "-")]
    [InlineData(8, "--1")]
    [InlineData(8, " -1")]
    [InlineData(8, "")]
    [InlineData(8, "18446744073709551616")]
    [InlineData(9, "-1")]
    [InlineData(9, "4294967296")]
    [InlineData(10, "-1")]
    [InlineData(12, "-1")]
    [InlineData(14, "-1")]
    [InlineData(14, "+1")]
    [InlineData(14, "1.5")]
    [InlineData(14, "12a")]
    [InlineData(14, "0x1")]
    [InlineData(14, "1\0")]
    [InlineData(14, "18446744073709551616")]
    [InlineData(14, "18446744073709551620")]
    [InlineData(22, "461168601843")] // the sum of two of these in nanoseconds would not fit in a long
    [InlineData(15, "-1")]
    [InlineData(15, "99999999999999999999999999999999")]
    [InlineData(20, "-1")]
    [InlineData(20, "2147483648")]
    [InlineData(22, "-1")]
    [InlineData(23, "abc")]
    [InlineData(39, "-1")]
    [InlineData(39, "2147483648")]
    [InlineData(39, "3a")]
    public void An_invalid_field_is_malformed(int field, string value)
    {
        string[] fields = System.Text.Encoding.Latin1.GetString(Read("stat/" + Plain)).Split(' ');
        Assert.NotEqual(value, fields[field - 1]);
        fields[field - 1] = value;
        AssertMalformed(Latin1(string.Join(' ', fields)));
    }

    [Theory]
    [InlineData("461168601842", 4611686018420000000)]
    [InlineData("461168601843", -1)]
    [InlineData("18446744073709551615", -1)]
    public void A_CPU_time_out_of_range_is_minus_1_in_nanoseconds_and_does_not_affect_other_fields(string ticks, long nanoseconds)
    {
        foreach (int field in (int[])[14, 15])
        {
            string[] fields = System.Text.Encoding.Latin1.GetString(Read("stat/" + Plain)).Split(' ');
            fields[field - 1] = ticks;
            Assert.True(ProcStat.TryParse(Latin1(string.Join(' ', fields)), out ProcStat stat));
            Assert.Equal(nanoseconds, field == 14 ? stat.UserNanoseconds : stat.KernelNanoseconds);
            Assert.Equal(fields[field == 14 ? 14 : 13], $"{(field == 14 ? stat.KernelTicks : stat.UserTicks)}");
            Assert.Equal(fields[21], $"{stat.StartTicks}");
        }
    }

    [Fact]
    public void A_name_longer_than_the_kernel_writes()
    {
        string[] fields = System.Text.Encoding.Latin1.GetString(Read("stat/" + Plain)).Split(' ');
        fields[1] = $"({new string('x', 64)})";
        Assert.True(ProcStat.TryParse(Latin1(string.Join(' ', fields)), out _));
        fields[1] = $"({new string('x', 65)})";
        AssertMalformed(Latin1(string.Join(' ', fields)));
    }

    [Fact]
    public void A_missing_field_is_malformed()
    {
        byte[] text = Read("stat/ends-at-39");
        AssertMalformed(text.AsSpan(0, text.AsSpan().LastIndexOf((byte)' ')));
    }

    [Fact]
    public void A_text_cut_anywhere_before_the_end_of_field_39_is_malformed()
    {
        byte[] text = Read("stat/ends-at-39");
        Assert.True(ProcStat.TryParse(text, out _));
        for (int length = 0; length < text.Length; length++)
            AssertMalformed(text.AsSpan(0, length));
    }

    private static void AssertMalformed(ReadOnlySpan<byte> text)
    {
        Assert.False(ProcStat.TryParse(text, out ProcStat stat));
        Assert.Equal(0, stat.Pid);
        Assert.True(stat.Comm.IsEmpty);
    }
}
