using System.IO.Compression;
using System.Text;
using ThreadExporter.Collection;
using ThreadExporter.Configuration;
using ThreadExporter.Exposition;
using ThreadExporter.Exposition.Buffers;
using ThreadExporter.Hosting;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Exposition;

/// <summary><see cref="ScrapeCoordinator"/>: a collection that several requests share, and the pooled memory that they read it from.</summary>
public sealed class ScrapeCoordinatorTests : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private readonly FixtureProc _proc = new();
    private readonly LiveCollector _live;
    private readonly CollectionGate _gate = new();
    private readonly SemaphoreSlim _started = new(0);
    private readonly SemaphoreSlim _continue = new(0);
    private Exception? _error;
    private bool _held = true;

    public ScrapeCoordinatorTests()
    {
        _proc.Process(10, "f", threads: 1);
        _proc.Thread(10, 10, "f"u8, 1_000_000_000);
        _live = new LiveCollector(LiveCollector.Config(new FilterConfig { Name = "f", Comm = ["f"] }), _proc.Root);
    }

    public void Dispose()
    {
        _live.Dispose();
        _proc.Dispose();
        _started.Dispose();
        _continue.Dispose();
    }

    [Fact]
    public async Task Requests_that_arrive_during_a_collection_share_it_in_every_format()
    {
        ScrapeCoordinator scrapes = NewScrapes();
        Task<PooledBuffer>[] early = [.. Enumerable.Range(0, 20).Select(i => scrapes.GetAsync(new ScrapeRequest(new ScrapeFormat(i % 2 == 0, Gzip: i % 4 < 2))))];
        Assert.True(await _started.WaitAsync(Timeout, TestContext.Current.CancellationToken));
        Task<PooledBuffer>[] during = [.. Enumerable.Range(0, 20).Select(i => scrapes.GetAsync(new ScrapeRequest(new ScrapeFormat(i % 2 == 0, Gzip: i % 4 < 2))))];
        _continue.Release();
        PooledBuffer[] buffers = await Task.WhenAll([.. early, .. during]).WaitAsync(Timeout, TestContext.Current.CancellationToken);

        Assert.Equal(1, _live.Collector.Collections);
        Assert.Equal(0, _started.CurrentCount);
        Assert.Equal(4, buffers.Distinct().Count());
        // A buffer stays valid until its last request has released it.
        string[] texts = [.. buffers.Select(Text)];
        for (int i = 0; i < buffers.Length; i++)
        {
            Assert.Equal(texts[i], Text(buffers[i]));
            buffers[i].Release();
        }
        Assert.All(buffers, b => Assert.Empty(b.Bytes()));
    }

    [Fact]
    public async Task A_request_that_arrives_after_the_collection_gets_a_later_one()
    {
        ScrapeCoordinator scrapes = NewScrapes();
        _continue.Release(2);
        using PooledText first = new(await scrapes.GetAsync(default).WaitAsync(Timeout, TestContext.Current.CancellationToken));
        _proc.SchedStat(10, 10, 2_000_000_000, 0, 0);
        using PooledText second = new(await scrapes.GetAsync(default).WaitAsync(Timeout, TestContext.Current.CancellationToken));
        Assert.Equal(2, _live.Collector.Collections);
        Assert.Contains("perfscale_thread_cpu_seconds_total{daemon=\"f\",ppid=\"10\",pname=\"f\",tid=\"10\",tname=\"f\"} 1\n", first.Value, StringComparison.Ordinal);
        Assert.Contains("perfscale_thread_cpu_seconds_total{daemon=\"f\",ppid=\"10\",pname=\"f\",tid=\"10\",tname=\"f\"} 2\n", second.Value, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_collection_fails_the_requests_that_share_it_and_no_other()
    {
        ScrapeCoordinator scrapes = NewScrapes();
        _error = new InvalidOperationException("no luck");
        Task<PooledBuffer>[] shared = [.. Enumerable.Range(0, 5).Select(i => scrapes.GetAsync(new ScrapeRequest(new ScrapeFormat(i % 2 == 0, Gzip: false))))];
        _continue.Release();
        foreach (Task<PooledBuffer> request in shared)
            Assert.Same(_error, await Assert.ThrowsAsync<InvalidOperationException>(() => request.WaitAsync(Timeout, TestContext.Current.CancellationToken)));
        Assert.Equal(0, _gate.BusySince);
        _error = null;
        _continue.Release();
        using PooledText text = new(await scrapes.GetAsync(default).WaitAsync(Timeout, TestContext.Current.CancellationToken));
        Assert.NotEmpty(text.Value);
    }

    [Fact]
    public async Task Pooled_memory_is_never_written_while_it_is_being_read()
    {
        // Each line of a text contains the number of its collection, so that a mixture is noticed.
        for (int tid = 11; tid < 60; tid++)
            _proc.Thread(10, tid, "f"u8);
        _proc.ProcessStat(10, "f", 50);
        _held = false;
        int made = 0;
        ScrapeCoordinator scrapes = new(_live.Collector, _gate, new SelfMetrics(), () =>
        {
            made++;
            for (int tid = 10; tid < 60; tid++)
                _proc.SchedStat(10, tid, made * 1_000_000_000L, 0, 0);
            return _live.Snapshot;
        });
        await Task.WhenAll(Enumerable.Range(0, 4).Select(reader => Task.Run(async () =>
        {
            for (int i = 0; i < 40; i++)
            {
                using PooledText text = new(await scrapes.GetAsync(new ScrapeRequest(new ScrapeFormat(reader % 2 == 0, Gzip: false))).WaitAsync(Timeout));
                string[] values = [.. text.Value.Split('\n').Where(l => l.StartsWith("perfscale_thread_cpu_seconds_total{", StringComparison.Ordinal)).Select(l => l[(l.LastIndexOf(' ') + 1)..])];
                Assert.Equal(50, values.Length);
                Assert.Single(values.Distinct());
                await Task.Yield();
                // Other requests have rented and returned chunks in the meantime.
                Assert.Equal(text.Value, text.Again());
            }
        }, TestContext.Current.CancellationToken)));
        Assert.True(made > 10);
    }

    [Theory]
    // The text, the compressed text, and the same in the other format.
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(3, 2)]
    [InlineData(4, 2)]
    public async Task A_render_that_fails_anywhere_leaves_no_memory_behind(int failing, int served)
    {
        int made = 0;
        InsufficientMemoryException error = new();
        ChunkPool pool = new(() => ++made == failing ? throw error : new byte[ChunkPool.ChunkSize]);
        ScrapeCoordinator scrapes = NewScrapes(pool);
        ScrapeFormat[] formats = [new(false, false), new(false, true), new(true, false), new(true, true)];
        // Two requests wait for each.
        Task<PooledBuffer>[] requests = [.. formats.Concat(formats).Select(f => scrapes.GetAsync(new ScrapeRequest(f)))];
        _continue.Release();
        List<PooledBuffer> buffers = [];
        foreach (Task<PooledBuffer> request in requests)
        {
            try
            {
                buffers.Add(await request.WaitAsync(Timeout, TestContext.Current.CancellationToken));
            }
            catch (InsufficientMemoryException e)
            {
                Assert.Same(error, e);
            }
        }
        Assert.Equal((served, 2 * served), (buffers.Distinct().Count(), buffers.Count));
        Assert.All(buffers, b => Assert.NotEmpty(b.Bytes()));
        Assert.Equal(served, pool.InUse);
        buffers.ForEach(b => b.Release());
        Assert.Equal(0, pool.InUse);

        _continue.Release();
        using (PooledText text = new(await scrapes.GetAsync(default).WaitAsync(Timeout, TestContext.Current.CancellationToken)))
            Assert.Equal(1, pool.InUse);
        Assert.Equal((0, 0L), (pool.InUse, _gate.BusySince));
    }

    [Fact]
    public async Task A_failing_callback_fails_the_scrape_and_leaves_no_memory_behind()
    {
        ChunkPool pool = new();
        InvalidOperationException error = new("no luck");
        SelfMetrics metrics = new();
        metrics.BeforeWrite(() => throw error);
        ScrapeCoordinator scrapes = new(_live.Collector, _gate, metrics, () => _live.Snapshot, pool);
        Assert.Same(error, await Assert.ThrowsAsync<InvalidOperationException>(() => scrapes.GetAsync(default).WaitAsync(Timeout, TestContext.Current.CancellationToken)));
        Assert.Equal(0, pool.InUse);
    }

    [Fact]
    public async Task When_only_gzip_is_requested_the_text_is_compressed_chunk_by_chunk()
    {
        for (int tid = 11; tid < 3000; tid++)
            _proc.Thread(10, tid, "f"u8);
        _proc.ProcessStat(10, "f", 2990);
        _held = false;
        int made = 0;
        ChunkPool pool = new(() =>
        {
            made++;
            return new byte[ChunkPool.ChunkSize];
        });
        ScrapeCoordinator scrapes = NewScrapes(pool);
        PooledBuffer compressed = await scrapes.GetAsync(new ScrapeRequest(new ScrapeFormat(false, Gzip: true))).WaitAsync(Timeout, TestContext.Current.CancellationToken);
        // One chunk for the text and one for the compressed text, which is released with its response.
        Assert.Equal((2, 1), (made, pool.InUse));
        using GZipStream gzip = new(new MemoryStream([.. compressed.Segments.SelectMany(s => s.ToArray())]), CompressionMode.Decompress);
        using StreamReader reader = new(gzip, Encoding.UTF8);
        string[] lines = (await reader.ReadToEndAsync(TestContext.Current.CancellationToken)).Split('\n');
        compressed.Release();
        Assert.Equal(0, pool.InUse);
        using PooledText text = new(await scrapes.GetAsync(default).WaitAsync(Timeout, TestContext.Current.CancellationToken));
        string[] expected = text.Value.Split('\n');
        Assert.InRange(text.Value.Length, 4 * ChunkPool.ChunkSize, 20 * ChunkPool.ChunkSize);
        // The daemon's own metrics change from one collection to the next.
        Assert.Equal(expected.Where(IsOfThreads), lines.Where(IsOfThreads));
        Assert.Equal(expected.Length, lines.Length);

        static bool IsOfThreads(string line) => line.Contains("perfscale_", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_collection_whose_text_is_not_needed_is_not_rendered()
    {
        ChunkPool pool = new(() => throw new InvalidOperationException("no chunk is needed"));
        _held = false;
        await NewScrapes(pool).CollectAsync().WaitAsync(Timeout, TestContext.Current.CancellationToken);
        Assert.Equal(1, _live.Collector.Collections);
        _error = new InvalidOperationException("no luck");
        Assert.Same(_error, await Assert.ThrowsAsync<InvalidOperationException>(() => NewScrapes(pool).CollectAsync().WaitAsync(Timeout, TestContext.Current.CancellationToken)));
    }

    [Fact]
    public async Task The_watchdog_sees_the_tick_that_runs_after_a_failed_collection()
    {
        // A sampler tick waits for the gate while a collection fails: the collection must not overwrite the start time of the tick. Repeated
        // often, because the race lasts a microsecond.
        Task? failing = null;
        using ManualResetEventSlim reached = new();
        bool requested = false;
        ScrapeCoordinator scrapes = new(_live.Collector, _gate, new SelfMetrics(), () =>
        {
            reached.Set();
            SpinWait.SpinUntil(() => Volatile.Read(ref requested), Timeout);
            throw new InvalidOperationException("no luck");
        });
        await Task.Factory.StartNew(() =>
        {
            for (int i = 0; i < 300; i++)
            {
                reached.Reset();
                Volatile.Write(ref requested, false);
                failing = scrapes.GetAsync(default);
                Assert.True(reached.Wait(Timeout, TestContext.Current.CancellationToken));
                // Spins instead of waiting, to enter the gate as soon as the collection leaves it.
                (long Start, long Later) busy = default;
                while (!_gate.TryInspect(() => busy = _gate.Run(Tick), TimeSpan.Zero, out _))
                    Volatile.Write(ref requested, true);
                Assert.True(busy.Start != 0 && busy.Start == busy.Later, $"in round {i} the start time was {busy.Start}, then {busy.Later}");
                // The same check as in two ticks of the watchdog.
                long seen = 0;
                long begun = busy.Later - 11 * System.Diagnostics.Stopwatch.Frequency;
                Assert.False(Housekeeping.IsStuck(begun, ref seen));
                Assert.True(Housekeeping.IsStuck(begun, ref seen));
            }
        }, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Assert.Equal(0, _gate.BusySince);

        (long, long) Tick()
        {
            long start = _gate.BusySince;
            Assert.Throws<AggregateException>(() => failing!.Wait(Timeout, TestContext.Current.CancellationToken));
            return (start, _gate.BusySince);
        }
    }

    private ScrapeCoordinator NewScrapes(ChunkPool? pool = null) => new(_live.Collector, _gate, new SelfMetrics(), () =>
    {
        _started.Release();
        if (_held)
            Assert.True(_continue.Wait(Timeout));
        return _error is null ? _live.Snapshot : throw _error;
    }, pool);

    private static string Text(PooledBuffer buffer) => Encoding.Latin1.GetString(buffer.Bytes());

    private sealed class PooledText(PooledBuffer buffer) : IDisposable
    {
        public string Value { get; } = Text(buffer);

        public string Again() => Text(buffer);

        public void Dispose() => buffer.Release();
    }
}
