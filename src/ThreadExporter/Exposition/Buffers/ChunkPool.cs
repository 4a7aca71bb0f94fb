namespace ThreadExporter.Exposition.Buffers;

/// <summary>
/// A pool of chunks of one size, the memory of response bodies. A body of megabytes in one array would be copied each time the array grows,
/// and the array rounded up to a power of two. The pool keeps as many chunks as were recently in use at one time, so that the memory of a
/// burst of threads is released. Thread-safe.
/// </summary>
/// <param name="allocate">Allocates a chunk; null: in managed memory. When it throws, the chunk is not counted as in use.</param>
internal sealed class ChunkPool(Func<byte[]>? allocate = null)
{
    /// <summary>Bytes. Large enough that the fixed cost of a send is small, small enough to be given to a socket in one piece.</summary>
    public const int ChunkSize = 256 * 1024;

    private const int PeriodsRemembered = 16;

    private readonly Lock _lock = new();
    private readonly Stack<byte[]> _free = new();
    // The most chunks in use at one time in each of the last periods. A period lasts from the first rented chunk until all are returned.
    private readonly int[] _maxInUse = new int[PeriodsRemembered];
    private int _period;
    private int _inUse;

    /// <summary>Rented chunks that are not returned. When it never reaches 0 again, chunks were lost, and the pool no longer shrinks.</summary>
    public int InUse
    {
        get
        {
            lock (_lock)
                return _inUse;
        }
    }

    /// <summary>A chunk of <see cref="ChunkSize"/> bytes, with any contents.</summary>
    public byte[] Rent()
    {
        lock (_lock)
        {
            if (!_free.TryPop(out byte[]? chunk))
            {
                // Room for all chunks, so that returning one allocates nothing and cannot fail.
                _free.EnsureCapacity(_inUse + 1);
                chunk = allocate?.Invoke() ?? GC.AllocateUninitializedArray<byte>(ChunkSize);
            }
            // Counted only after the allocation, which can fail.
            ref int max = ref _maxInUse[_period % PeriodsRemembered];
            max = Math.Max(max, ++_inUse);
            return chunk;
        }
    }

    /// <summary>Takes back a rented chunk. When it was the last one in use, the pool shrinks to the largest number of the last periods.</summary>
    public void Return(byte[] chunk)
    {
        lock (_lock)
        {
            _free.Push(chunk);
            if (--_inUse > 0)
                return;
            int keep = _maxInUse.Max();
            while (_free.Count > keep)
                _free.Pop();
            _maxInUse[++_period % PeriodsRemembered] = 0;
        }
    }
}
