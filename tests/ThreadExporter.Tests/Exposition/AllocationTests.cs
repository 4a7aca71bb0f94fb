using ThreadExporter.Exposition;
using ThreadExporter.Exposition.Buffers;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Exposition;

/// <summary>
/// <see cref="ThreadExporter.Collection.Collector"/> and <see cref="ThreadMetrics"/> allocate nothing per thread once all threads are known.
/// </summary>
public class AllocationTests
{
    private const int Few = 50, Many = 500;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void More_threads_do_not_allocate_more(bool ran)
    {
        long few = BytesOfScrape(Few, ran);
        long many = BytesOfScrape(Many, ran);
        // One object per thread would be more than 10,000 bytes.
        Assert.True(many <= few + 2_000, $"{few} bytes a scrape of {Few} threads, {many} bytes of {Many}");
    }

    private static long BytesOfScrape(int threads, bool ran)
    {
        using FixtureProc proc = new();
        proc.Process(10, "f", threads: threads);
        for (int tid = 10; tid < 10 + threads; tid++)
            proc.Thread(10, tid, "f"u8, 1_000_000_000);
        using LiveCollector live = new(LiveCollector.Config(LiveCollector.Pid(10)), proc.Root);
        ChunkPool pool = new();
        long cpu = 1_000_000_000;
        for (int i = 0; i < 4; i++)
            Scrape(live, pool);
        long least = long.MaxValue;
        // The minimum of several: a list or a pool of the framework may grow in one of them.
        for (int i = 0; i < 3; i++)
        {
            if (ran)
            {
                cpu += 10_000_000;
                for (int tid = 10; tid < 10 + threads; tid++)
                    proc.SchedStat(10, tid, cpu, 0, 1);
            }
            long before = GC.GetAllocatedBytesForCurrentThread();
            Scrape(live, pool);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return least;
    }

    private static void Scrape(LiveCollector live, ChunkPool pool)
    {
        live.Collector.Collect(live.Snapshot);
        PooledBuffer body = new(pool);
        ThreadMetrics.Write(live.Collector.Owners, _ => true, live.Collector, live.Snapshot.Config.Sampler, new ExpositionWriter(body, openMetrics: false));
        body.Release();
    }
}
