namespace ThreadExporter.Exposition.Buffers;

/// <summary>
/// The memory of response bodies: chunks of one size that go round. A body of megabytes in one array would be copied
/// each time it outgrows it and rounded up to a power of two; chunks are neither. What is kept is what was in use at one
/// time lately, so that a burst of threads does not stay in memory for ever.
/// </summary>
/// <param name="allocate">Makes a chunk; null: in managed memory. It may fail: then nothing is counted as in use.</param>
internal sealed class ChunkPool(Func<byte[]>? allocate = null)
{
    /// <summary>Bytes. Large enough that a send costs little beside its bytes, small enough to hand to a socket whole.</summary>
    public const int ChunkSize = 256 * 1024;

    private const int PeriodsRemembered = 16;

    private readonly Lock _lock = new();
    private readonly Stack<byte[]> _free = new();
    // The most in use at one time in each of the last periods; one lasts from the first chunk taken until all are back.
    private readonly int[] _most = new int[PeriodsRemembered];
    private int _period;
    private int _inUse;

    /// <summary>Chunks that were taken and are not back. Above 0 for good: some are lost, and the pool never trims again.</summary>
    public int InUse
    {
        get
        {
            lock (_lock)
                return _inUse;
        }
    }

    public byte[] Rent()
    {
        lock (_lock)
        {
            if (!_free.TryPop(out byte[]? chunk))
            {
                // Room for all of them, so that giving one back needs no memory and cannot fail.
                _free.EnsureCapacity(_inUse + 1);
                chunk = allocate?.Invoke() ?? GC.AllocateUninitializedArray<byte>(ChunkSize);
            }
            // Counted when it is there: there may have been no memory for it.
            ref int most = ref _most[_period % PeriodsRemembered];
            most = Math.Max(most, ++_inUse);
            return chunk;
        }
    }

    public void Return(byte[] chunk)
    {
        lock (_lock)
        {
            _free.Push(chunk);
            if (--_inUse > 0)
                return;
            int keep = _most.Max();
            while (_free.Count > keep)
                _free.Pop();
            _most[++_period % PeriodsRemembered] = 0;
        }
    }
}
