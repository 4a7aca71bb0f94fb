using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.IO.Compression;
using ThreadExporter.Collection;
using ThreadExporter.Exposition.Buffers;
using ThreadExporter.HotThreads;
using ThreadExporter.Linux;
using ThreadExporter.Model;
using ThreadExporter.Settings;

namespace ThreadExporter.Exposition;

/// <summary>
/// Makes collections, one at a time. Requests that arrive while one is being made share its result; those that arrive
/// while it is being rendered share the next.
/// </summary>
internal sealed class ScrapeCoordinator(Collector collector, SelfMetrics self, Func<ConfigSnapshot> current, ChunkPool? pool = null)
{
    private const long NanosecondsPerMillisecond = 1_000_000;

    private readonly Lock _gate = new();
    private readonly Lock _collecting = new();
    private readonly ChunkPool _chunks = pool ?? new ChunkPool();
    private ScrapeBatch? _open;
    private long _busySince;
    private long _sampleDue;

    /// <summary>When the collection being made began (<see cref="Stopwatch"/> timestamp); 0 when none is. For the watchdog.</summary>
    public long BusySince => Volatile.Read(ref _busySince);

    /// <summary>One collection as asked for. The caller releases the buffer.</summary>
    public Task<PooledBuffer> GetAsync(ScrapeRequest request)
    {
        lock (_gate)
        {
            if (_open is null)
            {
                ScrapeBatch opened = new();
                // Open to others only when somebody is there to run it: without memory for a task they would wait for ever.
                _ = Task.Run(() => Run(opened));
                _open = opened;
            }
            return _open.Wait(request);
        }
    }

    /// <summary>One collection for its own sake: what it found is what counts.</summary>
    public async Task CollectAsync() => (await GetAsync(default)).Release();

    /// <summary>Runs something that looks at the collector's tables while no collection changes them.</summary>
    public T Inspect<T>(Func<Collector, T> look)
    {
        lock (_collecting)
            return look(collector);
    }

    /// <summary>The same for a person who waits: false when a collection still runs after that time.</summary>
    public bool TryInspect<T>(Func<Collector, T> look, TimeSpan patience, [MaybeNullWhen(false)] out T result)
    {
        result = default;
        if (!_collecting.TryEnter(patience))
            return false;
        try
        {
            result = look(collector);
            return true;
        }
        finally
        {
            _collecting.Exit();
        }
    }

    /// <summary>
    /// Ends a window of the sampler and takes the hot page's snapshot, each when it is due, while no collection runs.
    /// Returns when the next is due, in monotonic nanoseconds.
    /// </summary>
    public long Sample(Sampler sampler, HotThreadTracker hot)
    {
        lock (_collecting)
        {
            Volatile.Write(ref _busySince, Stopwatch.GetTimestamp());
            try
            {
                ConfigSnapshot snapshot = current();
                long now = Clocks.MonotonicNanoseconds();
                // The thread's sleep counts in milliseconds.
                if (now >= _sampleDue - NanosecondsPerMillisecond)
                    _sampleDue = sampler.Tick(snapshot.Config.Sampler, now);
                return Math.Min(_sampleDue, hot.Tick(snapshot, now));
            }
            finally
            {
                Volatile.Write(ref _busySince, 0);
            }
        }
    }

    private void Run(ScrapeBatch round)
    {
        try
        {
            lock (_collecting)
            {
                Volatile.Write(ref _busySince, Stopwatch.GetTimestamp());
                try
                {
                    ConfigSnapshot snapshot = current();
                    collector.Collect(snapshot);
                    lock (_gate)
                        _open = null;
                    Render(round, snapshot);
                }
                finally
                {
                    // While the lock is held: afterwards it is the time of the next collection, which the watchdog must see.
                    Volatile.Write(ref _busySince, 0);
                }
            }
        }
        catch (Exception e)
        {
            lock (_gate)
            {
                if (ReferenceEquals(_open, round))
                    _open = null;
            }
            round.Fail(e);
        }
    }

    private void Render(ScrapeBatch round, ConfigSnapshot snapshot)
    {
        foreach (IGrouping<(bool, string?), ScrapeRequest> same in round.Requests.GroupBy(r => (r.Format.OpenMetrics, r.Filters)))
        {
            PooledBuffer text = RenderText(same.First(), snapshot);
            bool isHanded = false;
            try
            {
                foreach (ScrapeRequest request in same.OrderByDescending(r => r.Format.Gzip))
                {
                    PooledBuffer buffer = request.Format.Gzip ? Compress(text) : text;
                    isHanded |= ReferenceEquals(buffer, text);
                    round.Complete(request, buffer);
                }
            }
            finally
            {
                // Those who were handed it give it back; when nobody was, it goes back here, whatever failed.
                if (!isHanded)
                    text.Release();
            }
        }
    }

    private PooledBuffer RenderText(ScrapeRequest request, ConfigSnapshot snapshot)
    {
        bool openMetrics = request.Format.OpenMetrics;
        long begin = Stopwatch.GetTimestamp();
        IReadOnlyList<WatchedProcess> shown = request.Names is { } filters
            ? [.. collector.Processes.Where(p => filters.Contains(p.Filter.Name))]
            : collector.Processes;
        PooledBuffer text = Fill(text =>
        {
            ThreadMetrics.Write(shown, collector, snapshot.Config.Sampler, new ExpositionWriter(text, openMetrics));
            self.Write(text, openMetrics, collector, snapshot);
        });
        self.RenderDuration = Stopwatch.GetElapsedTime(begin);
        return text;
    }

    private PooledBuffer Compress(PooledBuffer text) => Fill(compressed =>
    {
        using Stream stream = new BufferStream(compressed);
        using GZipStream gzip = new(stream, CompressionLevel.Fastest);
        foreach (ReadOnlyMemory<byte> piece in text.Segments)
            gzip.Write(piece.Span);
    });

    /// <summary>A buffer with what the writer writes. When that fails (out of memory, say), its chunks are back in the pool.</summary>
    private PooledBuffer Fill(Action<PooledBuffer> write)
    {
        PooledBuffer buffer = new(_chunks);
        try
        {
            write(buffer);
            return buffer;
        }
        catch
        {
            buffer.Release();
            throw;
        }
    }

    private sealed class ScrapeBatch
    {
        private readonly Dictionary<ScrapeRequest, (int Waiting, TaskCompletionSource<PooledBuffer> Result)> _pending = [];

        public IEnumerable<ScrapeRequest> Requests => _pending.Keys;

        public Task<PooledBuffer> Wait(ScrapeRequest request)
        {
            if (!_pending.TryGetValue(request, out (int Waiting, TaskCompletionSource<PooledBuffer> Result) pending))
                pending = (0, new TaskCompletionSource<PooledBuffer>(TaskCreationOptions.RunContinuationsAsynchronously));
            _pending[request] = (pending.Waiting + 1, pending.Result);
            return pending.Result.Task;
        }

        public void Complete(ScrapeRequest request, PooledBuffer buffer)
        {
            (int waiting, TaskCompletionSource<PooledBuffer> result) = _pending[request];
            // One holder is the buffer's maker, whose share the first waiter takes over.
            for (int i = 1; i < waiting; i++)
                buffer.AddRef();
            result.SetResult(buffer);
        }

        public void Fail(Exception error)
        {
            foreach ((_, TaskCompletionSource<PooledBuffer> result) in _pending.Values)
                result.TrySetException(error);
        }
    }
}
