using System.Buffers;

namespace ThreadExporter.Exposition.Buffers;

/// <summary>
/// A growing body in chunks from a pool, read by as many responses as share one collection and given back when the last
/// of them lets go.
/// </summary>
internal sealed class PooledBuffer(ChunkPool pool) : IBufferWriter<byte>
{
    private readonly List<byte[]> _chunks = [];
    private readonly List<int> _lengths = [];
    private byte[] _current = [];
    private int _used;
    private int _before;
    private int _references = 1;

    public int Length => _before + _used;

    /// <summary>The pieces in order.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Segments
    {
        get
        {
            for (int i = 0; i < _chunks.Count; i++)
                yield return _chunks[i].AsMemory(0, i < _lengths.Count ? _lengths[i] : _used);
        }
    }

    /// <summary>At least <paramref name="sizeHint"/> bytes in one piece, to be followed by <see cref="Advance"/>.</summary>
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
    /// The pieces in order, for one who holds the body and reads it once. When nobody else holds it, each piece goes back
    /// to the pool as soon as the next is asked for: the next collection does not need memory for a second body while the
    /// end of this one is still being sent.
    /// </summary>
    public IEnumerable<ReadOnlyMemory<byte>> Drain()
    {
        // Nobody becomes a holder after the body was handed out.
        bool alone = Volatile.Read(ref _references) == 1;
        int at = 0;
        foreach (ReadOnlyMemory<byte> piece in Segments)
        {
            yield return piece;
            if (alone)
                Return(at);
            at++;
        }
    }

    public void AddRef() => Interlocked.Increment(ref _references);

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
        // A line longer than a chunk got one of its own size; an empty one is what stands for a piece that went back before.
        if (chunk.Length == ChunkPool.ChunkSize)
            pool.Return(chunk);
    }

    private void Grow(int sizeHint)
    {
        // Room first: once it is taken from the pool nothing may fail before it stands in the list, or it would never go back.
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
