using System.Diagnostics;
using System.IO.Compression;
using ThreadExporter.Collection;
using ThreadExporter.Exposition.Buffers;
using ThreadExporter.Model;
using ThreadExporter.Settings;

namespace ThreadExporter.Exposition;

/// <summary>
/// Makes collections for scrapes, one at a time. Requests that arrive during a collection share its result; those that arrive while it is
/// rendered share the next one.
/// </summary>
internal sealed class ScrapeCoordinator(Collector collector, CollectionGate gate, SelfMetrics self, Func<ConfigSnapshot> current, ChunkPool? pool = null)
{
    private readonly Lock _lock = new();
    private readonly ChunkPool _chunks = pool ?? new ChunkPool();
    private ScrapeBatch? _open;

    /// <summary>Starts a collection, or joins one that is not being rendered yet, and returns its text. The caller releases the buffer.</summary>
    /// <exception cref="Exception">The collection or the rendering failed; all requests that share it get the same exception.</exception>
    public Task<PooledBuffer> GetAsync(ScrapeRequest request)
    {
        lock (_lock)
        {
            if (_open is null)
            {
                ScrapeBatch opened = new();
                // Open to other requests only once its task exists: without memory for a task they would wait forever.
                _ = Task.Run(() => Run(opened));
                _open = opened;
            }
            return _open.Wait(request);
        }
    }

    /// <summary>Makes a collection whose text is not needed.</summary>
    public async Task CollectAsync() => (await GetAsync(default)).Release();

    private void Run(ScrapeBatch batch)
    {
        try
        {
            gate.Run(() =>
            {
                ConfigSnapshot snapshot = current();
                collector.Collect(snapshot);
                lock (_lock)
                    _open = null;
                Render(batch, snapshot);
            });
        }
        catch (Exception e)
        {
            lock (_lock)
            {
                if (ReferenceEquals(_open, batch))
                    _open = null;
            }
            batch.Fail(e);
        }
    }

    private void Render(ScrapeBatch batch, ConfigSnapshot snapshot)
    {
        foreach (IGrouping<(bool, string?), ScrapeRequest> same in batch.Requests.GroupBy(r => (r.Format.OpenMetrics, r.Filters)))
        {
            PooledBuffer text = RenderText(same.First(), snapshot);
            bool isShared = false;
            try
            {
                foreach (ScrapeRequest request in same.OrderByDescending(r => r.Format.Gzip))
                {
                    PooledBuffer buffer = request.Format.Gzip ? Compress(text) : text;
                    isShared |= ReferenceEquals(buffer, text);
                    batch.Complete(request, buffer);
                }
            }
            finally
            {
                // The requests that got the text release it. When none did, or compression failed, it is released here.
                if (!isShared)
                    text.Release();
            }
        }
    }

    private PooledBuffer RenderText(ScrapeRequest request, ConfigSnapshot snapshot)
    {
        bool openMetrics = request.Format.OpenMetrics;
        long start = Stopwatch.GetTimestamp();
        IReadOnlyList<SeriesOwner> shown = request.Names is { } filters
            ? [.. collector.Owners.Where(o => filters.Contains(o.Filter.Name))]
            : collector.Owners;
        PooledBuffer text = Fill(text =>
        {
            ThreadMetrics.Write(shown, name => request.Names?.Contains(name) != false, collector, snapshot.Config.Sampler, new ExpositionWriter(text, openMetrics));
            self.Write(text, openMetrics, collector, snapshot);
        });
        self.RenderDuration = Stopwatch.GetElapsedTime(start);
        return text;
    }

    private PooledBuffer Compress(PooledBuffer text) => Fill(compressed =>
    {
        using Stream stream = new BufferStream(compressed);
        using GZipStream gzip = new(stream, CompressionLevel.Fastest);
        foreach (ReadOnlyMemory<byte> segment in text.Segments)
            gzip.Write(segment.Span);
    });

    /// <summary>
    /// Returns a buffer that <paramref name="write"/> has filled. When that fails (out of memory, for example), the chunks go back to the pool.
    /// </summary>
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

    /// <summary>The requests that share one collection.</summary>
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
            // The first request takes over the reference with which the buffer was created.
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
