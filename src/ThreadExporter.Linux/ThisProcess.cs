namespace ThreadExporter.Linux;

/// <summary>The file descriptors of this process, their limit, and the id and priority of its threads.</summary>
public static unsafe class ThisProcess
{
    /// <summary>
    /// RLIMIT_NOFILE, the soft limit: how many descriptors this process may have. .NET raises it to the hard limit at
    /// startup. <see cref="long.MaxValue"/>: no limit.
    /// </summary>
    public static long MaxOpenFiles()
    {
        Native.Rlimit limit;
        // It cannot fail with a known resource and a valid pointer; 256 is less than on any system.
        if (Native.getrlimit(Native.RLIMIT_NOFILE, &limit) != 0)
            return 256;
        return limit.Soft > long.MaxValue ? long.MaxValue : (long)limit.Soft;
    }

    /// <summary>
    /// How many descriptors this process has open. Since Linux 6.2 that is the size of the directory <c>/proc/self/fd</c>
    /// (Documentation/filesystems/proc.rst): one call; listing ten thousand entries would take 10 ms.
    /// </summary>
    /// <returns>False before Linux 6.2, where that size is always 0.</returns>
    public static bool TryCountOpenFiles(out long count)
    {
        Native.Statx file;
        fixed (byte* path = "/proc/self/fd\0"u8)
        {
            bool known = Native.statx(Native.AT_FDCWD, path, 0, Native.STATX_SIZE, &file) == 0 && file.Size is > 0 and <= long.MaxValue;
            count = known ? (long)file.Size : 0;
            return known;
        }
    }

    /// <summary>The id of the calling thread in this pid namespace: gettid(2).</summary>
    public static int ThreadId() => Native.gettid();

    /// <summary>Sets the calling thread to the lowest priority (nice 19). False when the system rejects it.</summary>
    public static bool SetLowestPriority() => Native.setpriority(Native.PRIO_PROCESS, 0, 19) == 0;
}
