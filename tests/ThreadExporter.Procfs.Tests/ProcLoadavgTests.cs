using System.Text;

namespace ThreadExporter.Procfs.Tests;

public class ProcLoadavgTests
{
    [Fact]
    public void The_number_of_tasks_and_the_last_pid_are_read()
    {
        Assert.True(ProcLoadavg.TryParse("0.20 0.18 0.12 1/80 11206\n"u8, out ProcLoadavg loadavg));
        Assert.Equal(new ProcLoadavg(80, 11206), loadavg);
    }

    [Fact]
    public void A_new_thread_moves_the_last_pid()
    {
        using ProcfsRoot root = ProcfsRoot.Open("/proc");
        Assert.SkipUnless(root.TryReadLoadavg(out ProcLoadavg before), "the kernel's loadavg is not at /proc/loadavg");
        Thread thread = new(() => { });
        thread.Start();
        thread.Join();
        Assert.True(root.TryReadLoadavg(out ProcLoadavg after));
        Assert.NotEqual(before.LastPid, after.LastPid);
        Assert.InRange(after.Tasks, 2, int.MaxValue);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0.20 0.18 0.12")]
    [InlineData("0.20 0.18 0.12 1/80")]
    [InlineData("0.20 0.18 0.12 1/80 11206")]
    [InlineData("0.20 0.18 0.12 1/ 11206\n")]
    [InlineData("0.20 0.18 0.12 1/80 x\n")]
    [InlineData("0.20 0.18 0.12 1/-80 1\n")]
    [InlineData("0.20 0.18 0.12 0/0 0\n")]
    [InlineData("0.20 0.18 0.12 1/80 4294967296\n")]
    [InlineData("0.20 0.18 0.12 1/80 11206\n\n")]
    public void Anything_else_is_rejected(string text) => Assert.False(ProcLoadavg.TryParse(Encoding.ASCII.GetBytes(text), out _));
}
