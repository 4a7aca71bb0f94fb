namespace ThreadExporter.Linux;

/// <summary>The C library's heap, from which the runtime, its compiler and zlib take what is not managed: mallopt(3).</summary>
public static class MallocTuning
{
    // Bytes. Deflate's state is larger, a scrape's worth of small things is not.
    private const int Large = 64 * 1024;

    /// <summary>
    /// Has the process give back what it no longer uses. By default glibc keeps a heap for each of many threads and raises
    /// the size from which a piece is mapped by itself to that of the largest one freed: deflate's state, a third of a
    /// megabyte for each compressed response, then ends up in, and fragments, the heap of whichever thread compressed.
    /// </summary>
    public static void Apply()
    {
        _ = Native.mallopt(Native.MALLOPT_ARENA_MAX, 1);
        _ = Native.mallopt(Native.MALLOPT_MMAP_THRESHOLD, Large);
        _ = Native.mallopt(Native.MALLOPT_TRIM_THRESHOLD, Large);
    }
}
