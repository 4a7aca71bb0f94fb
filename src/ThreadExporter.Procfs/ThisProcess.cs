namespace ThreadExporter.Procfs;

/// <summary>getrlimit(2) of this process and setpriority(2) of its threads.</summary>
public static unsafe class ThisProcess
{
    /// <summary>
    /// RLIMIT_NOFILE, the soft limit: how many descriptors this process may have. .NET has raised it to the hard limit at
    /// its start. No limit reads <see cref="long.MaxValue"/>.
    /// </summary>
    public static long MaxOpenFiles()
    {
        Native.Rlimit limit;
        // It cannot fail with a known resource and a valid pointer; 256 is less than any system gives.
        if (Native.getrlimit(Native.RLIMIT_NOFILE, &limit) != 0)
            return 256;
        return limit.Soft > long.MaxValue ? long.MaxValue : (long)limit.Soft;
    }

    /// <summary>Gives the calling thread the lowest priority there is (nice 19). False when the system refuses.</summary>
    public static bool SetLowestPriority() => Native.setpriority(Native.PRIO_PROCESS, 0, 19) == 0;
}
