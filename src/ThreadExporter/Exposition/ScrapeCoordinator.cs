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
            return Open().Wait(request);
    }

    /// <summary>Makes a collection whose text is not needed.</summary>
    /// <exception cref="Exception">The collection failed.</exception>
    public Task CollectAsync()
    {
        lock (_lock)
            return Open().WaitForCollection();
    }

    private ScrapeBatch Open()
    {
        if (_open is null)
        {
            ScrapeBatch opened = new();
            // Open to other requests only once its task exists: without memory for a task they would wait forever.
            _ = Task.Run(() => Run(opened));
            _open = opened;
        }
        return _open;
    }

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
                batch.Collected();
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
            long start = Stopwatch.GetTimestamp();
            ScrapeRequest[] compressed = [.. same.Where(r => r.Format.Gzip)];
            ScrapeRequest[] plain = [.. same.Where(r => !r.Format.Gzip)];
            // Without the text as a whole when nobody wants it: a chunk is compressed while the CPU's cache still has it.
            PooledBuffer? text = plain.Length > 0 ? Fill(text => WriteText(text, plain[0], snapshot)) : null;
            try
            {
                if (compressed.Length > 0)
                    batch.Complete(compressed[0], Fill(gzip => Compress(gzip, text, compressed[0], snapshot)));
            }
            catch
            {
                text?.Release();
                throw;
            }
            self.RenderDuration = Stopwatch.GetElapsedTime(start);
            if (text is not null)
                batch.Complete(plain[0], text);
        }
    }

    private void WriteText(PooledBuffer output, ScrapeRequest request, ConfigSnapshot snapshot)
    {
        bool openMetrics = request.Format.OpenMetrics;
        IReadOnlyList<SeriesOwner> shown = request.Names is { } filters
            ? [.. collector.Owners.Where(o => filters.Contains(o.Filter.Name))]
            : collector.Owners;
        ThreadMetrics.Write(shown, name => request.Names?.Contains(name) != false, collector, snapshot.Config.Sampler, new ExpositionWriter(output, openMetrics));
        self.Write(output, openMetrics, collector, snapshot);
    }

    /// <param name="output">Receives the compressed text.</param>
    /// <param name="text">The text; null: it is rendered here.</param>
    /// <param name="request">What is rendered.</param>
    /// <param name="snapshot">The configuration of the collection.</param>
    private void Compress(PooledBuffer output, PooledBuffer? text, ScrapeRequest request, ConfigSnapshot snapshot)
    {
        using Stream stream = new BufferStream(output);
        using GZipStream gzip = new(stream, CompressionLevel.Fastest);
        if (text is not null)
        {
            foreach (ReadOnlyMemory<byte> segment in text.Segments)
                gzip.Write(segment.Span);
            return;
        }
        PooledBuffer drained = new(_chunks, gzip);
        try
        {
            WriteText(drained, request, snapshot);
            drained.Flush();
        }
        finally
        {
            drained.Release();
        }
    }

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
        private readonly TaskCompletionSource _collected = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public IEnumerable<ScrapeRequest> Requests => _pending.Keys;

        public Task<PooledBuffer> Wait(ScrapeRequest request)
        {
            if (!_pending.TryGetValue(request, out (int Waiting, TaskCompletionSource<PooledBuffer> Result) pending))
                pending = (0, new TaskCompletionSource<PooledBuffer>(TaskCreationOptions.RunContinuationsAsynchronously));
            _pending[request] = (pending.Waiting + 1, pending.Result);
            return pending.Result.Task;
        }

        public Task WaitForCollection() => _collected.Task;

        public void Collected() => _collected.SetResult();

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
            _collected.TrySetException(error);
            foreach ((_, TaskCompletionSource<PooledBuffer> result) in _pending.Values)
                result.TrySetException(error);
        }
    }
}
