namespace ThreadExporter.Procfs;

/// <summary>getrlimit(2) of this process.</summary>
public static unsafe class Limits
{
    /// <summary>
    /// RLIMIT_NOFILE, the soft limit: how many descriptors this process may have. .NET has raised it to the hard limit at
    /// its start. No limit reads <see cref="long.MaxValue"/>.
    /// </summary>
    public static long OpenFiles()
    {
        Native.Rlimit limit;
        // It cannot fail with a known resource and a valid pointer; 256 is less than any system gives.
        if (Native.getrlimit(Native.RLIMIT_NOFILE, &limit) != 0)
            return 256;
        return limit.Soft > long.MaxValue ? long.MaxValue : (long)limit.Soft;
    }
}
