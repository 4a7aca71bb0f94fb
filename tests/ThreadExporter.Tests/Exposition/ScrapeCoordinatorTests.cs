using System.Text;
using ThreadExporter.Collection;
using ThreadExporter.Configuration;
using ThreadExporter.Exposition;
using ThreadExporter.Exposition.Buffers;
using ThreadExporter.Hosting;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Exposition;

/// <summary>One collection shared by simultaneous requests, and the pooled memory they read it from.</summary>
public sealed class ScrapeCoordinatorTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly FixtureProc _proc = new();
    private readonly LiveCollector _live;
    private readonly CollectionGate _gate = new();
    private readonly SemaphoreSlim _begun = new(0);
    private readonly SemaphoreSlim _goOn = new(0);
    private Exception? _fault;
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
        _begun.Dispose();
        _goOn.Dispose();
    }

    [Fact]
    public async Task Requests_that_arrive_during_a_collection_share_it_in_every_format()
    {
        ScrapeCoordinator scrapes = NewScrapes();
        Task<PooledBuffer>[] early = [.. Enumerable.Range(0, 20).Select(i => scrapes.GetAsync(new ScrapeRequest(new ScrapeFormat(i % 2 == 0, Gzip: i % 4 < 2))))];
        Assert.True(await _begun.WaitAsync(Patience, TestContext.Current.CancellationToken));
        Task<PooledBuffer>[] during = [.. Enumerable.Range(0, 20).Select(i => scrapes.GetAsync(new ScrapeRequest(new ScrapeFormat(i % 2 == 0, Gzip: i % 4 < 2))))];
        _goOn.Release();
        PooledBuffer[] buffers = await Task.WhenAll([.. early, .. during]).WaitAsync(Patience, TestContext.Current.CancellationToken);

        Assert.Equal(1, _live.Collector.Collections);
        Assert.Equal(0, _begun.CurrentCount);
        Assert.Equal(4, buffers.Distinct().Count());
        // Each holds its buffer until it lets go, however many others already have.
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
        _goOn.Release(2);
        using PooledText first = new(await scrapes.GetAsync(default).WaitAsync(Patience, TestContext.Current.CancellationToken));
        _proc.SchedStat(10, 10, 2_000_000_000, 0, 0);
        using PooledText second = new(await scrapes.GetAsync(default).WaitAsync(Patience, TestContext.Current.CancellationToken));
        Assert.Equal(2, _live.Collector.Collections);
        Assert.Contains("perfscale_thread_cpu_seconds_total{daemon=\"f\",ppid=\"10\",pname=\"f\",tid=\"10\",tname=\"f\"} 1\n", first.Value, StringComparison.Ordinal);
        Assert.Contains("perfscale_thread_cpu_seconds_total{daemon=\"f\",ppid=\"10\",pname=\"f\",tid=\"10\",tname=\"f\"} 2\n", second.Value, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_collection_fails_all_that_share_it_and_no_other()
    {
        ScrapeCoordinator scrapes = NewScrapes();
        _fault = new InvalidOperationException("no luck");
        Task<PooledBuffer>[] shared = [.. Enumerable.Range(0, 5).Select(i => scrapes.GetAsync(new ScrapeRequest(new ScrapeFormat(i % 2 == 0, Gzip: false))))];
        _goOn.Release();
        foreach (Task<PooledBuffer> request in shared)
            Assert.Same(_fault, await Assert.ThrowsAsync<InvalidOperationException>(() => request.WaitAsync(Patience, TestContext.Current.CancellationToken)));
        Assert.Equal(0, _gate.BusySince);
        _fault = null;
        _goOn.Release();
        using PooledText text = new(await scrapes.GetAsync(default).WaitAsync(Patience, TestContext.Current.CancellationToken));
        Assert.NotEmpty(text.Value);
    }

    [Fact]
    public async Task Pooled_memory_is_never_written_while_somebody_reads_it()
    {
        // Each text says which collection it is of, in every line of every thread: a mix would show.
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
                using PooledText text = new(await scrapes.GetAsync(new ScrapeRequest(new ScrapeFormat(reader % 2 == 0, Gzip: false))).WaitAsync(Patience));
                string[] values = [.. text.Value.Split('\n').Where(l => l.StartsWith("perfscale_thread_cpu_seconds_total{", StringComparison.Ordinal)).Select(l => l[(l.LastIndexOf(' ') + 1)..])];
                Assert.Equal(50, values.Length);
                Assert.Single(values.Distinct());
                await Task.Yield();
                // Others have rented and returned meanwhile.
                Assert.Equal(text.Value, text.Again());
            }
        }, TestContext.Current.CancellationToken)));
        Assert.True(made > 10);
    }

    [Theory]
    // The text, its compressed form, the other format's text, and that one compressed.
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(3, 2)]
    [InlineData(4, 2)]
    public async Task A_render_that_fails_anywhere_leaves_no_memory_behind(int failing, int served)
    {
        int made = 0;
        InsufficientMemoryException fault = new();
        ChunkPool pool = new(() => ++made == failing ? throw fault : new byte[ChunkPool.ChunkSize]);
        ScrapeCoordinator scrapes = NewScrapes(pool);
        ScrapeFormat[] formats = [new(false, false), new(false, true), new(true, false), new(true, true)];
        // Two wait for each.
        Task<PooledBuffer>[] requests = [.. formats.Concat(formats).Select(f => scrapes.GetAsync(new ScrapeRequest(f)))];
        _goOn.Release();
        List<PooledBuffer> buffers = [];
        foreach (Task<PooledBuffer> request in requests)
        {
            try
            {
                buffers.Add(await request.WaitAsync(Patience, TestContext.Current.CancellationToken));
            }
            catch (InsufficientMemoryException e)
            {
                Assert.Same(fault, e);
            }
        }
        Assert.Equal((served, 2 * served), (buffers.Distinct().Count(), buffers.Count));
        Assert.All(buffers, b => Assert.NotEmpty(b.Bytes()));
        Assert.Equal(served, pool.InUse);
        buffers.ForEach(b => b.Release());
        Assert.Equal(0, pool.InUse);

        _goOn.Release();
        using (PooledText text = new(await scrapes.GetAsync(default).WaitAsync(Patience, TestContext.Current.CancellationToken)))
            Assert.Equal(1, pool.InUse);
        Assert.Equal((0, 0L), (pool.InUse, _gate.BusySince));
    }

    [Fact]
    public async Task Metrics_of_our_own_that_fail_leave_no_memory_behind()
    {
        ChunkPool pool = new();
        InvalidOperationException fault = new("no luck");
        SelfMetrics metrics = new();
        metrics.BeforeWrite(() => throw fault);
        ScrapeCoordinator scrapes = new(_live.Collector, _gate, metrics, () => _live.Snapshot, pool);
        Assert.Same(fault, await Assert.ThrowsAsync<InvalidOperationException>(() => scrapes.CollectAsync().WaitAsync(Patience, TestContext.Current.CancellationToken)));
        Assert.Equal(0, pool.InUse);
    }

    [Fact]
    public async Task Gzip_alone_gives_back_the_text_that_it_was_made_of()
    {
        ChunkPool pool = new();
        _held = false;
        using (PooledText text = new(await NewScrapes(pool).GetAsync(new ScrapeRequest(new ScrapeFormat(false, Gzip: true))).WaitAsync(Patience, TestContext.Current.CancellationToken)))
            Assert.Equal(1, pool.InUse);
        Assert.Equal(0, pool.InUse);
    }

    [Fact]
    public async Task The_watchdog_sees_what_runs_after_a_collection_that_failed()
    {
        // A sampler tick waits for the gate while a collection fails: whatever the collection still does, the tick's own start time stays. Many
        // times, because the error to find takes a microsecond.
        Task? failing = null;
        using ManualResetEventSlim reached = new();
        bool asking = false;
        ScrapeCoordinator scrapes = new(_live.Collector, _gate, new SelfMetrics(), () =>
        {
            reached.Set();
            SpinWait.SpinUntil(() => Volatile.Read(ref asking), Patience);
            throw new InvalidOperationException("no luck");
        });
        await Task.Factory.StartNew(() =>
        {
            for (int i = 0; i < 300; i++)
            {
                reached.Reset();
                Volatile.Write(ref asking, false);
                failing = scrapes.GetAsync(default);
                Assert.True(reached.Wait(Patience, TestContext.Current.CancellationToken));
                // Spins instead of waiting, so that the gate is taken the moment the collection leaves it.
                (long Start, long Later) busy = default;
                while (!_gate.TryInspect(() => busy = _gate.Run(Tick), TimeSpan.Zero, out _))
                    Volatile.Write(ref asking, true);
                Assert.True(busy.Start != 0 && busy.Start == busy.Later, $"in round {i} the start time was {busy.Start}, then {busy.Later}");
                // As the watchdog's two ticks see it once it has run for long.
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
            Assert.Throws<AggregateException>(() => failing!.Wait(Patience, TestContext.Current.CancellationToken));
            return (start, _gate.BusySince);
        }
    }

    private ScrapeCoordinator NewScrapes(ChunkPool? pool = null) => new(_live.Collector, _gate, new SelfMetrics(), () =>
    {
        _begun.Release();
        if (_held)
            Assert.True(_goOn.Wait(Patience));
        return _fault is null ? _live.Snapshot : throw _fault;
    }, pool);

    private static string Text(PooledBuffer buffer) => Encoding.Latin1.GetString(buffer.Bytes());

    private sealed class PooledText(PooledBuffer buffer) : IDisposable
    {
        public string Value { get; } = Text(buffer);

        public string Again() => Text(buffer);

        public void Dispose() => buffer.Release();
    }
}
