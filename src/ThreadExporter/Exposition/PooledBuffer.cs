using System.Buffers;

namespace ThreadExporter.Exposition;

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
    private int _holders = 1;

    public int Length => _before + _used;

    /// <summary>The pieces in order.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Pieces
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

    public void AddHolder() => Interlocked.Increment(ref _holders);

    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            _current = [];
            pool.Return(_chunks);
        }
    }

    private void Grow(int sizeHint)
    {
        if (_chunks.Count > 0)
            _lengths.Add(_used);
        _before += _used;
        _used = 0;
        _current = sizeHint <= ChunkPool.ChunkSize ? pool.Rent() : new byte[sizeHint];
        _chunks.Add(_current);
    }
}
