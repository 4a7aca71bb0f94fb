using System.Runtime.InteropServices;
using ThreadExporter.Exposition.Buffers;

namespace ThreadExporter.Tests.Exposition.Buffers;

/// <summary><see cref="PooledBuffer"/> and <see cref="ChunkPool"/>: when a chunk is returned, and how many are kept.</summary>
public class PooledBufferTests
{
    private readonly ChunkPool _pool = new();

    [Fact]
    public void A_chunk_that_was_sent_is_returned_before_the_next_one_is_sent()
    {
        PooledBuffer body = Body(3);
        byte[][] chunks = [.. body.Segments.Select(Chunk)];
        using IEnumerator<ReadOnlyMemory<byte>> pieces = body.Drain().GetEnumerator();
        Assert.True(pieces.MoveNext());
        // Compared by reference: uninitialized memory may have any contents.
        Assert.False(chunks.Contains(_pool.Rent()));
        Assert.True(pieces.MoveNext());
        Assert.Same(chunks[0], _pool.Rent());
        Assert.Same(chunks[1], Chunk(pieces.Current));
        // The client has disconnected: the remaining chunks are returned with the body, and none is returned twice.
        body.Release();
        byte[][] rest = [_pool.Rent(), _pool.Rent(), _pool.Rent()];
        Assert.Equal(2, rest.Count(chunks[1..].Contains));
        Assert.False(rest.Contains(chunks[0]));
    }

    [Fact]
    public void A_shared_body_keeps_its_chunks_while_one_request_sends_it()
    {
        PooledBuffer body = Body(3);
        byte[] expected = [.. body.Segments.SelectMany(p => p.ToArray())];
        body.AddRef();
        Assert.Equal(expected, body.Drain().SelectMany(p => p.ToArray()));
        body.Release();
        Assert.Equal(expected, body.Segments.SelectMany(p => p.ToArray()));
        Assert.Equal(expected, body.Drain().SelectMany(p => p.ToArray()));
        body.Release();
        Assert.Empty(body.Segments);
    }

    [Fact]
    public void The_memory_of_a_burst_is_released_after_sixteen_smaller_bodies()
    {
        const int Burst = 8;
        Body(Burst).Release();
        HashSet<byte[]> ofBurst = [.. Held(Burst)];
        for (int i = 0; i < 20; i++)
            Body(2).Release();
        Assert.InRange(Held(Burst).Count(ofBurst.Contains), 1, 2);
    }

    [Fact]
    public void A_drained_buffer_uses_one_chunk_again_and_again()
    {
        using MemoryStream drained = new();
        PooledBuffer buffer = new(_pool, drained);
        byte[] expected = new byte[(3 * ChunkPool.ChunkSize) + 100];
        Random.Shared.NextBytes(expected);
        buffer.Write(expected);
        // A line longer than a chunk gets an array of its own.
        byte[] line = new byte[ChunkPool.ChunkSize + 1];
        line.CopyTo(buffer.GetSpan(line.Length));
        buffer.Advance(line.Length);
        buffer.Write(expected);
        Assert.Equal(1, _pool.InUse);
        buffer.Flush();
        Assert.Equal([.. expected, .. line, .. expected], drained.ToArray());
        Assert.Equal(drained.Length, buffer.Length);
        buffer.Release();
        Assert.Equal(0, _pool.InUse);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_body_that_runs_out_of_memory_returns_its_chunks(int failing)
    {
        int made = 0;
        ChunkPool pool = new(() => ++made == failing ? throw new InsufficientMemoryException() : new byte[ChunkPool.ChunkSize]);
        PooledBuffer body = new(pool);
        Assert.Throws<InsufficientMemoryException>(() => body.Write(new byte[3 * ChunkPool.ChunkSize]));
        Assert.Equal(failing - 1, pool.InUse);
        Assert.Equal((failing - 1) * ChunkPool.ChunkSize, body.Length);
        Assert.Equal(body.Length, body.Segments.Sum(p => p.Length));
        body.Release();
        Assert.Equal(0, pool.InUse);
    }

    [Fact]
    public void The_memory_of_a_burst_is_released_even_when_it_ran_out_of_memory()
    {
        int made = 0;
        ChunkPool pool = new(() => ++made == 9 ? throw new InsufficientMemoryException() : new byte[ChunkPool.ChunkSize]);
        Assert.Throws<InsufficientMemoryException>(() => Held(pool, 9));
        Assert.Equal(8, made - 1);
        for (int i = 0; i < 20; i++)
            Held(pool, 2);
        made = 100;
        Held(pool, 8);
        Assert.InRange(made - 100, 6, 8);

        static void Held(ChunkPool pool, int count)
        {
            List<byte[]> chunks = [];
            try
            {
                while (chunks.Count < count)
                    chunks.Add(pool.Rent());
            }
            finally
            {
                chunks.ForEach(pool.Return);
            }
        }
    }

    // Rents this many chunks at one time and returns them.
    private byte[][] Held(int count)
    {
        byte[][] chunks = [.. Enumerable.Range(0, count).Select(_ => _pool.Rent())];
        foreach (byte[] chunk in chunks)
            _pool.Return(chunk);
        return chunks;
    }

    private PooledBuffer Body(int chunks)
    {
        PooledBuffer body = new(_pool);
        byte[] chunk = new byte[ChunkPool.ChunkSize];
        for (int i = 0; i < chunks; i++)
        {
            chunk.AsSpan().Fill((byte)('a' + i));
            body.Write(chunk);
        }
        return body;
    }

    private static byte[] Chunk(ReadOnlyMemory<byte> piece)
    {
        Assert.True(MemoryMarshal.TryGetArray(piece, out ArraySegment<byte> segment));
        return segment.Array!;
    }
}
