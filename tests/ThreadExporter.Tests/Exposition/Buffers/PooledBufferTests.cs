using System.Runtime.InteropServices;
using ThreadExporter.Exposition.Buffers;

namespace ThreadExporter.Tests.Exposition.Buffers;

/// <summary>The memory of bodies: when a chunk goes back, and how many are kept.</summary>
public class PooledBufferTests
{
    private readonly ChunkPool _pool = new();

    [Fact]
    public void A_piece_that_was_sent_goes_back_before_the_next_one_is()
    {
        PooledBuffer body = Body(3);
        byte[][] chunks = [.. body.Segments.Select(Chunk)];
        using IEnumerator<ReadOnlyMemory<byte>> pieces = body.Drain().GetEnumerator();
        Assert.True(pieces.MoveNext());
        // By reference: what is in memory that nobody cleared may be anything.
        Assert.False(chunks.Contains(_pool.Rent()));
        Assert.True(pieces.MoveNext());
        Assert.Same(chunks[0], _pool.Rent());
        Assert.Same(chunks[1], Chunk(pieces.Current));
        // The client went away: what was not sent goes back with the body, and nothing goes back twice.
        body.Release();
        byte[][] rest = [_pool.Rent(), _pool.Rent(), _pool.Rent()];
        Assert.Equal(2, rest.Count(chunks[1..].Contains));
        Assert.False(rest.Contains(chunks[0]));
    }

    [Fact]
    public void A_body_that_others_hold_stays_whole_while_one_of_them_sends_it()
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
    public void What_a_burst_needed_is_let_go_after_sixteen_bodies_that_needed_less()
    {
        const int Burst = 8;
        Body(Burst).Release();
        HashSet<byte[]> ofBurst = [.. Held(Burst)];
        for (int i = 0; i < 20; i++)
            Body(2).Release();
        Assert.InRange(Held(Burst).Count(ofBurst.Contains), 1, 2);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_body_for_which_there_was_not_enough_memory_gives_back_what_it_had(int failing)
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
    public void A_burst_is_let_go_even_if_there_was_not_enough_memory_for_all_of_it()
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

    // Takes that many chunks at one time and gives them back.
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
