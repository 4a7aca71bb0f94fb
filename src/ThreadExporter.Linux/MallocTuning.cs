namespace ThreadExporter.Linux;

/// <summary>Settings of the glibc heap, which the runtime, the JIT and zlib use for native memory: mallopt(3).</summary>
public static class MallocTuning
{
    // Bytes. The state of deflate is larger; the small allocations of a scrape are not.
    private const int Large = 64 * 1024;

    /// <summary>
    /// Makes glibc return unused memory to the OS. By default glibc has a heap (arena) for each of many threads, and raises the mmap threshold
    /// to the size of the largest freed mapping. The state of deflate, a third of a megabyte for each compressed response, is then allocated in,
    /// and fragments, the arena of the thread that compressed.
    /// </summary>
    public static void Apply()
    {
        _ = Native.mallopt(Native.MALLOPT_ARENA_MAX, 1);
        _ = Native.mallopt(Native.MALLOPT_MMAP_THRESHOLD, Large);
        _ = Native.mallopt(Native.MALLOPT_TRIM_THRESHOLD, Large);
    }
}
