namespace ThreadExporter.Procfs;

/// <summary>What the kernel allows this process, see getrlimit(2).</summary>
public static class Limits
{
    /// <summary>The soft limit of open files (RLIMIT_NOFILE); <see cref="long.MaxValue"/> when there is none.</summary>
    public static unsafe long MaxOpenFiles()
    {
        Native.Rlimit limit = new() { Soft = ulong.MaxValue, Hard = ulong.MaxValue };
        return Native.getrlimit(Native.RLIMIT_NOFILE, &limit) == 0 ? (long)Math.Min(limit.Soft, long.MaxValue) : long.MaxValue;
    }
}
