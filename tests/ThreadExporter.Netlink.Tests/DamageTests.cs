using System.Buffers.Binary;
using System.Globalization;

namespace ThreadExporter.Netlink.Tests;

/// <summary>Bytes that no kernel sends: nothing throws, nothing runs for ever, nothing half-read is reported.</summary>
public class DamageTests
{
    private readonly List<ExitRecord> _records = [];

    /// <summary>A last thread's message, with all kinds of attributes.</summary>
    private static byte[] Valid(int version) => Taskstats.Message([.. Taskstats.Attribute(Taskstats.NullType),
        .. Taskstats.Thread(Taskstats.Stats(version)), .. Taskstats.Process(Taskstats.Stats(version))]);

    [Theory]
    [InlineData(8)]
    [InlineData(15)]
    [InlineData(16)]
    public void Every_truncation_of_a_datagram_is_counted_and_gives_no_record(int version)
    {
        byte[] valid = Valid(version);
        ExitRecordParser parser = new(Taskstats.Family);
        for (int length = 0; length < valid.Length; length++)
        {
            parser.Parse(valid.AsSpan(0, length), _records);
            Assert.Equal(length + 1, parser.Malformed);
        }
        Assert.Empty(_records);
        parser.Parse(valid, _records);
        Assert.Single(_records);
    }

    [Fact]
    public void A_message_that_was_cut_and_says_so_gives_no_record_either()
    {
        byte[] valid = Taskstats.Message(Taskstats.Thread(Taskstats.Stats(16)));
        ExitRecordParser parser = new(Taskstats.Family);
        // From 24 on there are attributes; without any the message is empty, but whole.
        for (int length = 24; length < valid.Length; length++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(valid, (uint)length);
            parser.Parse(valid.AsSpan(0, length), _records);
        }
        Assert.Empty(_records);
        Assert.Equal(valid.Length - 24, parser.Malformed);
    }

    [Fact]
    public void An_impossible_length_of_a_message()
    {
        ExitRecordParser parser = new(Taskstats.Family);
        byte[] valid = Valid(16);
        int tried = 0;
        foreach (uint length in (uint[])[.. Enumerable.Range(0, 16).Select(l => (uint)l), (uint)valid.Length + 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFD, uint.MaxValue])
        {
            BinaryPrimitives.WriteUInt32LittleEndian(valid, length);
            parser.Parse(valid, _records);
            Assert.Equal(++tried, parser.Malformed);
        }
        Assert.Empty(_records);
    }

    [Fact]
    public void An_impossible_length_of_an_attribute()
    {
        byte[] valid = Taskstats.Message(Taskstats.Thread(Taskstats.Stats(16)));
        ExitRecordParser parser = new(Taskstats.Family);
        int tried = 0;
        // Of the thread, its pid, and its statistics.
        foreach (int header in (int[])[20, 24, 32])
        {
            foreach (ushort length in (ushort[])[0, 1, 2, 3, 4, 0x7FFF, 0xFFFC, 0xFFFF])
            {
                byte[] damaged = [.. valid];
                BinaryPrimitives.WriteUInt16LittleEndian(damaged.AsSpan(header), length);
                parser.Parse(damaged, _records);
                Assert.Equal(++tried, parser.Malformed);
            }
        }
        Assert.Empty(_records);
    }

    /// <summary><c>make fuzz</c> uses a hundred times as many inputs (FUZZ_FACTOR), and others each time; FUZZ_SEED repeats a run.</summary>
    [Fact]
    public void Random_damage_and_random_bytes()
    {
        long factor = long.Parse(Environment.GetEnvironmentVariable("FUZZ_FACTOR") ?? "1", CultureInfo.InvariantCulture);
        int seed = (int)ulong.Parse(Environment.GetEnvironmentVariable("FUZZ_SEED") ?? (factor == 1 ? "1" : $"{Environment.TickCount64}"), CultureInfo.InvariantCulture);
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        Random random = new(seed);
        byte[][] valid = [.. Enumerable.Range(8, 10).Select(Valid)];
        Dictionary<int, int> processes = [];
        for (long i = 0; i < 100_000 * factor; i++)
        {
            byte[] bytes = [.. valid[(int)(i % valid.Length)]];
            if (i % 16 == 0)
                random.NextBytes(bytes);
            for (int edits = random.Next(1, 5); edits > 0; edits--)
                bytes[random.Next(i % 2 == 0 ? 48 : bytes.Length)] = (byte)random.Next(256);
            ReadOnlySpan<byte> datagram = bytes.AsSpan(0, i % 4 == 0 ? random.Next(bytes.Length) : bytes.Length);
            _records.Clear();
            new ExitRecordParser(Taskstats.Family).Parse(datagram, _records);
            // Damage of a number cannot be seen; that of a thread id can.
            Assert.All(_records, r => Assert.True(r.Tid > 0 && r.CpuNanoseconds >= 0 && r.Comm.Length < 16));
            ProcessConnector.Parse(datagram, processes);
            ushort family = 0;
            GenericNetlink.TryReadAnswer(datagram, 0, ref family, out _);
        }
    }

    [Fact]
    public void Parsing_allocates_nothing()
    {
        byte[] datagram = Valid(16);
        ExitRecordParser parser = new(Taskstats.Family);
        _records.Capacity = 2000;
        for (int i = 0; i < 1000; i++)
            parser.Parse(datagram, _records);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
            parser.Parse(datagram, _records);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(2000, _records.Count);
    }
}
