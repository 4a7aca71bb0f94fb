using ThreadExporter.Linux;

namespace ThreadExporter.Hosting;

/// <summary>
/// Returns the memory of garbage to the system. The garbage collector itself collects old objects only when many have been added, so a daemon that
/// allocates little would keep what its start, a reload or a burst of threads has left.
/// </summary>
internal sealed class HeapTrim
{
    private const long Minute = 60_000_000_000;
    // All threads stand still meanwhile: 2 ms with a few processes, 15 ms with 10,000 threads.
    private const long LeastIdleShare = 1000;

    private long _due;

    /// <summary>Collects and compacts the heap when that is due: once a minute, or less often, so that it takes at most a thousandth of the time.</summary>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    /// <returns>Whether it was due.</returns>
    public bool Run(long now)
    {
        if (now < _due)
            return false;
        long start = Clocks.MonotonicNanoseconds();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        _due = now + Math.Max(Minute, LeastIdleShare * (Clocks.MonotonicNanoseconds() - start));
        return true;
    }
}
