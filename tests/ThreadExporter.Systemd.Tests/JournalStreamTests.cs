using System.IO.Pipes;

namespace ThreadExporter.Systemd.Tests;

public class JournalStreamTests
{
    [Fact]
    public async Task The_descriptor_that_the_variable_names_is_the_journal()
    {
        using AnonymousPipeServerStream pipe = new(PipeDirection.Out);
        int descriptor = (int)pipe.SafePipeHandle.DangerousGetHandle();
        Assert.True(JournalStream.IsJournal(descriptor, await DatagramReceiver.DeviceAndInodeAsync(descriptor)));
    }

    [Fact]
    public async Task A_file_on_a_real_device_is_compared_by_device_number_too()
    {
        string path = Path.GetTempFileName();
        using (FileStream file = File.OpenRead(path))
        {
            int descriptor = (int)file.SafeFileHandle.DangerousGetHandle();
            string truth = await DatagramReceiver.DeviceAndInodeAsync(descriptor);
            Assert.True(JournalStream.IsJournal(descriptor, truth));
            Assert.False(JournalStream.IsJournal(descriptor, "1" + truth));
            Assert.False(JournalStream.IsJournal(descriptor, truth + "1"));
        }
        File.Delete(path);
    }

    [Fact]
    public async Task A_variable_inherited_from_another_session_is_ignored()
    {
        using AnonymousPipeServerStream sessions = new(PipeDirection.Out);
        using AnonymousPipeServerStream terminal = new(PipeDirection.Out);
        string inherited = await DatagramReceiver.DeviceAndInodeAsync(sessions.SafePipeHandle.DangerousGetHandle());
        Assert.False(JournalStream.IsJournal((int)terminal.SafePipeHandle.DangerousGetHandle(), inherited));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(":")]
    [InlineData("12")]
    [InlineData("12:")]
    [InlineData(":12")]
    [InlineData("a:b")]
    [InlineData("-1:-1")]
    [InlineData("1:2:3")]
    [InlineData("99999999999999999999:1")]
    public void A_variable_that_is_not_two_numbers_is_not_a_journal(string? variable) => Assert.False(JournalStream.IsJournal(2, variable));

    [Fact]
    public void A_closed_descriptor_is_not_a_journal() => Assert.False(JournalStream.IsJournal(1_000_000, "1:1"));
}
