using ThreadExporter.Hosting;

namespace ThreadExporter.Tests.Hosting;

/// <summary><see cref="HeapTrim"/>: once a minute, and garbage is gone afterwards.</summary>
public class HeapTrimTests
{
    private const long Second = 1_000_000_000;

    [Fact]
    public void Garbage_is_collected_once_a_minute()
    {
        HeapTrim heap = new();
        WeakReference old = OldGarbage();
        Assert.True(heap.Run(5 * Second));
        Assert.False(old.IsAlive);
        Assert.False(heap.Run(64 * Second));
        // Beside other tests it takes long, and is due the later.
        Assert.True(heap.Run(3600 * Second));
    }

    private static WeakReference OldGarbage()
    {
        object garbage = new();
        GC.Collect();
        GC.Collect();
        Assert.Equal(GC.MaxGeneration, GC.GetGeneration(garbage));
        return new WeakReference(garbage);
    }
}
