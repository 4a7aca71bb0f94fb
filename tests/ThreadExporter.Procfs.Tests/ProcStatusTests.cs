using static ThreadExporter.Procfs.Tests.Fixture;

namespace ThreadExporter.Procfs.Tests;

public class ProcStatusTests
{
    [Theory]
    [InlineData("plain", 1001u, 1, 4210, 150, 545)]
    [InlineData("nested-namespace", 1001u, 3, 4210, 150, 545)]
    [InlineData("old-kernel", 1001u, 0, 0, 150, 545)]
    [InlineData("kernel-thread", 0u, 1, 17, -1, -1)]
    [InlineData("uid-largest", uint.MaxValue, 0, 0, -1, -1)]
    [InlineData("switches-largest", 1001u, 1, 4210, long.MaxValue, 545)]
    [InlineData("long-groups", 1001u, 1, 4210, 150, 545)]
    // Cut by a buffer: the cut line counts as missing.
    [InlineData("cut-in-groups", 1001u, 0, 0, -1, -1)]
    [InlineData("cut-in-number", 1001u, 1, 4210, 150, -1)]
    public void What_the_kernel_writes(string file, uint uid, int nspidCount, int nspid, long voluntary, long involuntary)
    {
        Assert.True(ProcStatus.TryParse(Read("status/" + file), out ProcStatus status));
        Assert.Equal(new ProcStatus(uid, nspidCount, nspid, voluntary, involuntary), status);
    }

    [Fact]
    public void A_number_out_of_range_is_unknown_and_the_rest_is_read()
    {
        Assert.True(ProcStatus.TryParse("Uid:\t0\t7\t0\t0\nvoluntary_ctxt_switches:\t9223372036854775808\nnonvoluntary_ctxt_switches:\t3\n"u8, out ProcStatus status));
        Assert.Equal(new ProcStatus(7, 0, 0, -1, 3), status);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("\xff\0\x80\n")]
    [InlineData("Name:\tx\n")]
    [InlineData("Uid\t0\t0\t0\t0\n")]
    [InlineData("Uid:\t0\t0\t0\t0")]
    [InlineData("Uid:\n")]
    [InlineData("Uid:\t0\t0\t0\n")]
    [InlineData("Uid:\t0\t0\t0\t0\t0\n")]
    [InlineData("Uid:\t0\t-1\t0\t0\n")]
    [InlineData("Uid:\t0\t4294967296\t0\t0\n")]
    [InlineData("Uid:\t0\troot\t0\t0\n")]
    [InlineData("Uid: 0 0 0 0\n")]
    [InlineData("xUid:\t0\t0\t0\t0\n")]
    [InlineData("Uid:\t0\t0\t0\t0\n\n")]
    [InlineData("Uid:\t0\t0\t0\t0\nNSpid:\n")]
    [InlineData("Uid:\t0\t0\t0\t0\nNSpid:\t\n")]
    [InlineData("Uid:\t0\t0\t0\t0\nNSpid:\tx\n")]
    [InlineData("Uid:\t0\t0\t0\t0\nNSpid:\t1\tx\n")]
    [InlineData("Uid:\t0\t0\t0\t0\nNSpid:\t1\t\n")]
    [InlineData("Uid:\t0\t0\t0\t0\nNSpid:\t2147483648\n")]
    [InlineData("Uid:\t0\t0\t0\t0\nNSpid:\t-1\n")]
    [InlineData("Uid:\t0\t0\t0\t0\nvoluntary_ctxt_switches:\n")]
    [InlineData("Uid:\t0\t0\t0\t0\nvoluntary_ctxt_switches:\t-1\n")]
    [InlineData("Uid:\t0\t0\t0\t0\nvoluntary_ctxt_switches:\t18446744073709551616\n")]
    [InlineData("Uid:\t0\t0\t0\t0\nvoluntary_ctxt_switches:\t1\t2\n")]
    [InlineData("Uid:\t0\t0\t0\t0\nnonvoluntary_ctxt_switches:\tmany\n")]
    public void Anything_else_is_malformed(string text)
    {
        Assert.False(ProcStatus.TryParse(Latin1(text), out ProcStatus status));
        Assert.Equal(default, status);
    }
}
