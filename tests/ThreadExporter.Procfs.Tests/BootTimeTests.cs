using ThreadExporter.Linux;

namespace ThreadExporter.Procfs.Tests;

public class BootTimeTests
{
    [Fact]
    public void The_oldest_entry_of_a_tmpfs_has_the_earliest_wall_clock_time()
    {
        Assert.SkipUnless(Directory.Exists("/dev/shm") && new DriveInfo("/dev/shm").DriveFormat == "tmpfs", "no tmpfs at /dev/shm");
        DirectoryInfo directory = Directory.CreateDirectory($"/dev/shm/te-boot-{Guid.NewGuid():N}");
        try
        {
            Assert.Equal(long.MaxValue, BootTime.OldestChange(directory.FullName));
            long before = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1_000_000;
            string first = Path.Combine(directory.FullName, "first");
            File.WriteAllText(first, "");
            long changed = FileIdentity.Read(first).ChangedAt;
            Thread.Sleep(20);
            File.WriteAllText(Path.Combine(directory.FullName, "second"), "");
            // On another file system, and old.
            File.CreateSymbolicLink(Path.Combine(directory.FullName, "link"), "/usr");
            // Programs can set this time (mtime), but not the ctime.
            File.SetLastWriteTimeUtc(Path.Combine(directory.FullName, "second"), DateTime.UnixEpoch);
            Assert.Equal(changed, BootTime.OldestChange(directory.FullName));
            Assert.InRange(changed, before - 50_000_000, before + 10_000_000_000);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public void Other_file_systems_are_ignored()
    {
        Assert.Equal(long.MaxValue, BootTime.OldestChange("/proc"));
        Assert.Equal(long.MaxValue, BootTime.OldestChange("/no/such/directory"));
    }

    [Fact]
    public void It_is_never_later_than_the_current_boot_time()
    {
        long now = Clocks.BootTimeNanoseconds();
        Assert.True(BootTime.Earliest() <= now + 1_000_000);
        Assert.True(Clocks.EarliestBootTimeNanoseconds <= now);
    }
}
