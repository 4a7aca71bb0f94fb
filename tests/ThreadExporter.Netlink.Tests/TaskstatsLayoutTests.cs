using System.Text;

namespace ThreadExporter.Netlink.Tests;

/// <summary>The check of a layout with a thread of our own.</summary>
public class TaskstatsLayoutTests
{
    private static readonly OwnThread Own = OwnThread.Run();

    private static ExitRecord Right => new()
    {
        Tid = Own.Tid,
        Tgid = Own.Pid,
        Comm = OwnThread.Comm,
        CpuNanoseconds = Own.CpuNanoseconds,
        ElapsedNanoseconds = Own.ElapsedNanoseconds,
    };

    [Fact]
    public void The_own_thread_has_used_what_it_says()
    {
        Assert.True(Own.Tid > 0 && Own.Tid != Own.Pid);
        Assert.InRange(Own.CpuNanoseconds, 20_000_000, Own.ElapsedNanoseconds);
        Assert.True(OwnThread.Comm.Length < 16);
    }

    [Fact]
    public void A_right_record_is_accepted()
    {
        Assert.Equal("", Verify(Right));
        // Up to a tick of CPU time is missing, and user and kernel time are counted in ticks.
        Assert.Equal("", Verify(Right with { CpuNanoseconds = Own.CpuNanoseconds - 10_000_000, UserNanoseconds = 10_000_000, KernelNanoseconds = 10_000_000 }));
    }

    [Fact]
    public void A_wrong_field_is_named()
    {
        Assert.Contains("wrong thread id", Verify(Right with { Tid = 1 }), StringComparison.Ordinal);
        Assert.Contains("wrong process id", Verify(Right with { Tgid = 1 }), StringComparison.Ordinal);
        Assert.Contains("wrong name", Verify(Right with { Comm = "exit-chec"u8 }), StringComparison.Ordinal);
        Assert.Contains("wrong CPU time", Verify(Right with { CpuNanoseconds = 0 }), StringComparison.Ordinal);
        Assert.Contains("wrong CPU time", Verify(Right with { CpuNanoseconds = Own.ElapsedNanoseconds * 2 + 1_000_000_000 }), StringComparison.Ordinal);
        Assert.Contains("wrong user and kernel time", Verify(Right with { UserNanoseconds = Own.ElapsedNanoseconds * 2 + 1_000_000_000 }), StringComparison.Ordinal);
        Assert.Contains("wrong elapsed time", Verify(Right with { ElapsedNanoseconds = 1000 }), StringComparison.Ordinal);
        Assert.Contains("taskstats version 18, 700 bytes", Verify(Right with { Tid = 1 }), StringComparison.Ordinal);
    }

    /// <summary>What would happen if another version got the arrangement of version 15, or the other way round.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_wrong_arrangement_is_noticed_in_any_record(bool inMiddle)
    {
        byte[] stats = Taskstats.Stats(16, inMiddle: inMiddle);
        stats[0] = (byte)(inMiddle ? 16 : 15);
        ExitRecordParser parser = new(Taskstats.Family);
        List<ExitRecord> records = [];
        parser.Parse(Taskstats.Message(Taskstats.Thread(stats)), records);
        Assert.Empty(records);
        Assert.Equal((stats[0], stats.Length), parser.Unknown);
    }

    [Fact]
    public void A_name_of_a_record_is_cut_and_can_be_copied()
    {
        ExitRecord record = new() { Comm = "0123456789abcdefgh"u8 };
        ExitRecord copy = record with { Tid = 3 };
        Assert.Equal("0123456789abcde", Encoding.UTF8.GetString(copy.Comm));
        Assert.True(default(ExitRecord).Comm.IsEmpty);
    }

    private static string Verify(ExitRecord record)
    {
        bool right = TaskstatsLayout.For(18, 700)!.TryVerify(record, Own, out string reason);
        Assert.Equal(right, reason.Length == 0);
        return reason;
    }
}
