using ThreadExporter.Linux;

namespace ThreadExporter.Procfs;

/// <summary>
/// The earliest time the kernel may have booted, by any wall clock setting since then. When the wall clock is set forward (NTP at boot on a
/// machine without an RTC, a paused virtual machine), the boot time moves with it, but the times of files do not: they seem older than they are.
/// </summary>
public static class BootTime
{
    // Read once: the oldest change in /run does not get older.
    private static readonly Lazy<long> OldestInRun = new(static () => OldestChange("/run"));

    /// <summary>Nanoseconds since 1970: the earlier of the earliest boot time this process has seen and the oldest change in /run.</summary>
    public static long Earliest()
    {
        long now = Clocks.BootTimeNanoseconds();
        return Math.Min(Math.Min(now, Clocks.EarliestBootTimeNanoseconds), OldestInRun.Value);
    }

    /// <summary>
    /// The oldest change time (ctime) in a directory that is a tmpfs. It is empty at boot, so this is an early wall clock time after boot.
    /// Programs cannot set a ctime.
    /// </summary>
    /// <returns><see cref="long.MaxValue"/> when there is none.</returns>
    public static long OldestChange(string directory)
    {
        long oldest = long.MaxValue;
        try
        {
            if (new DriveInfo(directory).DriveFormat != "tmpfs")
                return oldest;
            ulong device = FileIdentity.Read(directory).Device;
            foreach (string entry in Directory.EnumerateFileSystemEntries(directory))
            {
                // Not mounts below it, and not the targets of links to other file systems.
                if (FileIdentity.Read(entry) is { Status: ReadStatus.Ok } file && file.Device == device)
                    oldest = Math.Min(oldest, file.ChangedAt);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It does not exist or cannot be read.
        }
        return oldest;
    }
}
