using ThreadExporter.Linux;

namespace ThreadExporter.Procfs;

/// <summary>
/// How early the kernel may have booted by the wall clock of some time since then. When the wall clock is set forward (NTP at the boot of
/// a machine without a clock of its own, a virtual machine that was paused), the boot time by the clock of now moves with it, but the
/// times of files do not: by the clock of now they seem older than they are.
/// </summary>
public static class BootTime
{
    // What changed before this process started does not become older.
    private static readonly Lazy<long> OldestInRun = new(static () => OldestChange("/run"));

    /// <summary>Nanoseconds since 1970: the earliest boot time that this process has seen, or that the oldest file in /run shows.</summary>
    public static long Earliest()
    {
        long now = Clocks.BootTimeNanoseconds();
        return Math.Min(Math.Min(now, Clocks.EarliestBootTimeNanoseconds), OldestInRun.Value);
    }

    /// <summary>
    /// The change time (ctime) of what changed first in this directory, when it is a tmpfs, which is empty at boot: the wall clock of then.
    /// No program can set it.
    /// </summary>
    /// <returns><see cref="long.MaxValue"/> when it tells nothing.</returns>
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
                // Not what is mounted below it, nor what a link leads to elsewhere.
                if (FileIdentity.Read(entry) is { Status: ReadStatus.Ok } file && file.Device == device)
                    oldest = Math.Min(oldest, file.ChangedAt);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not there, or not to be read.
        }
        return oldest;
    }
}
