namespace ThreadExporter.Linux.Tests;

public class ThisProcessTests
{
    [Fact]
    public void Counts_this_process_descriptors()
    {
        Assert.SkipUnless(ThisProcess.TryCountOpenFiles(out _), "the kernel is older than 6.2 and does not report it");
        List<int> held = [];
        for (int i = 0; i < 500; i++)
        {
            Assert.Equal(ReadStatus.Ok, RawFile.Open(-1, "/proc/self/stat"u8, out int fd));
            held.Add(fd);
        }
        ThisProcess.TryCountOpenFiles(out long with);
        held.ForEach(RawFile.Close);
        ThisProcess.TryCountOpenFiles(out long without);
        // Other tests in this process open and close descriptors meanwhile.
        Assert.InRange(with - without, 450, 550);
    }
}
