namespace ThreadExporter.Exposition;

/// <summary>
/// The memory of response bodies: chunks of one size that go round. A body of megabytes in one array would be copied
/// each time it outgrows it and rounded up to a power of two; chunks are neither. What is kept is what the largest of
/// the last bodies needed, so that a burst of threads does not stay in memory for ever.
/// </summary>
internal sealed class ChunkPool
{
    /// <summary>Bytes. Large enough that a send costs little beside its bytes, small enough to hand to a socket whole.</summary>
    public const int ChunkSize = 256 * 1024;

    private const int BodiesRemembered = 16;

    private readonly Lock _lock = new();
    private readonly Stack<byte[]> _free = new();
    private readonly int[] _recent = new int[BodiesRemembered];
    private int _bodies;

    public byte[] Rent()
    {
        lock (_lock)
        {
            if (_free.TryPop(out byte[]? chunk))
                return chunk;
        }
        return GC.AllocateUninitializedArray<byte>(ChunkSize);
    }

    /// <summary>Takes back a body's chunks.</summary>
    public void Return(List<byte[]> chunks)
    {
        lock (_lock)
        {
            _recent[_bodies++ % BodiesRemembered] = chunks.Count;
            int keep = _recent.Max();
            foreach (byte[] chunk in chunks)
            {
                // A line longer than a chunk got one of its own size.
                if (chunk.Length == ChunkSize)
                    _free.Push(chunk);
            }
            while (_free.Count > keep)
                _free.Pop();
        }
        chunks.Clear();
    }
}
