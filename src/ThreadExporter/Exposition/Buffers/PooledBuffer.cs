using System.Buffers;

namespace ThreadExporter.Exposition.Buffers;

/// <summary>
/// A response body that grows in chunks from a pool. It is reference-counted: the responses that share a collection read the same buffer, and
/// the last one to release it returns the chunks. It has one writer; after that it does not change.
/// </summary>
/// <param name="pool">Where chunks are rented.</param>
/// <param name="drain">Gets each chunk that is full, and the rest at <see cref="Flush"/>; one chunk is used again and again. Null: all are kept.</param>
internal sealed class PooledBuffer(ChunkPool pool, Stream? drain = null) : IBufferWriter<byte>
{
    private readonly List<byte[]> _chunks = [];
    private readonly List<int> _lengths = [];
    private byte[] _current = [];
    private int _used;
    private int _before;
    private int _references = 1;

    /// <summary>Bytes written.</summary>
    public int Length => _before + _used;

    /// <summary>The contents of the chunks, in order.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Segments
    {
        get
        {
            for (int i = 0; i < _chunks.Count; i++)
                yield return _chunks[i].AsMemory(0, i < _lengths.Count ? _lengths[i] : _used);
        }
    }

    /// <summary>At least <paramref name="sizeHint"/> contiguous bytes to write to, followed by <see cref="Advance"/>.</summary>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        if (_current.Length - _used < Math.Max(sizeHint, 1))
            Grow(sizeHint);
        return _current.AsSpan(_used);
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        GetSpan(sizeHint);
        return _current.AsMemory(_used);
    }

    public void Advance(int count) => _used += count;

    /// <summary>Writes what is left to the stream that the constructor was given.</summary>
    public void Flush()
    {
        drain?.Write(_current.AsSpan(0, _used));
        _before += _used;
        _used = 0;
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            Span<byte> to = GetSpan();
            int fits = Math.Min(to.Length, bytes.Length);
            bytes[..fits].CopyTo(to);
            Advance(fits);
            bytes = bytes[fits..];
        }
    }

    /// <summary>
    /// The contents of the chunks in order, for a caller that reads them once and then releases the buffer. When it has the only reference,
    /// each chunk is returned to the pool when the next one is requested, so that a collection made meanwhile needs less new memory.
    /// </summary>
    public IEnumerable<ReadOnlyMemory<byte>> Drain()
    {
        // All references are added before the first response gets the buffer.
        bool isOnlyReference = Volatile.Read(ref _references) == 1;
        int at = 0;
        foreach (ReadOnlyMemory<byte> segment in Segments)
        {
            yield return segment;
            if (isOnlyReference)
                Return(at);
            at++;
        }
    }

    /// <summary>Adds a reference, to be released by another caller.</summary>
    public void AddRef() => Interlocked.Increment(ref _references);

    /// <summary>Gives up one reference. After the last one the buffer must not be used.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            _current = [];
            for (int i = 0; i < _chunks.Count; i++)
                Return(i);
            _chunks.Clear();
        }
    }

    private void Return(int index)
    {
        byte[] chunk = _chunks[index];
        _chunks[index] = [];
        // An array of another size is not from the pool: a line longer than a chunk has its own, and a returned chunk was replaced by an empty one.
        if (chunk.Length == ChunkPool.ChunkSize)
            pool.Return(chunk);
    }

    private void Grow(int sizeHint)
    {
        if (drain is not null)
        {
            Flush();
            if (_current.Length >= Math.Max(sizeHint, 1))
                return;
        }
        // The lists grow first: if that failed after the chunk was rented, the chunk would never be returned.
        _lengths.EnsureCapacity(_chunks.Count);
        _chunks.EnsureCapacity(_chunks.Count + 1);
        byte[] next = sizeHint <= ChunkPool.ChunkSize ? pool.Rent() : new byte[sizeHint];
        if (_chunks.Count > 0)
            _lengths.Add(_used);
        _before += _used;
        _used = 0;
        _current = next;
        _chunks.Add(next);
    }
}
