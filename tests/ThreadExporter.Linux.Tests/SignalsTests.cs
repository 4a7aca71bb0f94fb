using System.Diagnostics;

namespace ThreadExporter.Linux.Tests;

public class SignalsTests
{
    [Fact]
    public void A_hangup_arrives_and_then_the_process_is_gone()
    {
        using Process sleep = Process.Start("/bin/sleep", "60");
        int pid = sleep.Id;
        Assert.Equal(ReadStatus.Ok, Signals.SendHangup(pid));
        Assert.True(sleep.WaitForExit(TimeSpan.FromSeconds(30)));
        Assert.Equal(128 + 1, sleep.ExitCode);
        Assert.Equal(ReadStatus.Gone, Signals.SendHangup(pid));
    }

    [Fact]
    public void Processes_of_other_users_are_denied()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root, to start a process and then become another user");
        using Process sleep = Process.Start("/bin/sleep", "60");
        Libc.OnOwnThread(() =>
        {
            Libc.BecomeNobody();
            Assert.Equal(ReadStatus.Denied, Signals.SendHangup(sleep.Id));
        });
        Assert.False(sleep.HasExited);
        sleep.Kill();
        sleep.WaitForExit();
    }

    [Theory]
    [InlineData(0)] // our own process group
    [InlineData(-1)] // every process
    [InlineData(int.MinValue)]
    public void An_invalid_pid_gets_no_signal(int pid) => Assert.Equal(ReadStatus.Other, Signals.SendHangup(pid));
}
