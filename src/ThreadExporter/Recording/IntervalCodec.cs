using System.Buffers;
using ThreadExporter.HotThreads;

namespace ThreadExporter.Recording;

/// <summary>
/// The rows of an interval as bytes: numbers of 7 bits a byte, names by their number in a dictionary. About 20 bytes for a thread (docs/decisions/0017).
/// Times are in microseconds, rounded down, so that parts never add up to more than their sum.
/// </summary>
internal static class IntervalCodec
{
    private const long Microsecond = 1000;
    private const int HasClock = 1, IsKernelThread = 2;

    /// <summary>Writes the rows.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="output">Receives the bytes.</param>
    /// <param name="numberOf">The number of a text, 1 or more.</param>
    public static void Write(HotThreadRow[] rows, ArrayBufferWriter<byte> output, Func<string, int> numberOf)
    {
        Dictionary<HotProcessRow, int> processes = new(ReferenceEqualityComparer.Instance);
        foreach (HotThreadRow row in rows)
            processes.TryAdd(row.Process, processes.Count);
        Put(output, processes.Count);
        foreach (HotProcessRow process in processes.Keys)
        {
            Put(output, process.Pid);
            Put(output, numberOf(process.Name));
            Put(output, numberOf(process.Daemon));
            Put(output, numberOf(process.Filter));
            Put(output, process.Threads);
            Put(output, process.Cpu / Microsecond);
            Put(output, process.ThreadsCpu / Microsecond);
            Put(output, process.WaitedChildren / Microsecond);
            Put(output, (process.HasClock ? HasClock : 0) | (process.IsKernelThread ? IsKernelThread : 0));
        }
        Put(output, rows.Length);
        foreach (HotThreadRow row in rows)
        {
            Put(output, processes[row.Process]);
            Put(output, row.Tid);
            Put(output, numberOf(row.Name));
            Put(output, row.State);
            Put(output, (int)row.Verdict);
            Put(output, row.Cpu / Microsecond);
            Put(output, row.Wait is { } wait ? wait / Microsecond + 1 : 0);
            // The others follow from the numbers.
            Put(output, row.Verdict is Verdict.Throttled or Verdict.Starved && row.Reason.Length > 0 ? numberOf(row.Reason) : 0);
        }
    }

    /// <summary>Reads the rows.</summary>
    /// <param name="data">The bytes.</param>
    /// <param name="length">The length of the interval, in nanoseconds.</param>
    /// <param name="textOf">The text of a number.</param>
    /// <exception cref="InvalidDataException">They are not what <see cref="Write"/> has written.</exception>
    public static HotThreadRow[] Read(ReadOnlySpan<byte> data, long length, Func<int, string> textOf)
    {
        Reader reader = new(data);
        HotProcessRow[] processes = new HotProcessRow[reader.Count()];
        for (int i = 0; i < processes.Length; i++)
        {
            (int pid, string name, string daemon, string filter, int threads) = (reader.Int(), textOf(reader.Int()), textOf(reader.Int()), textOf(reader.Int()), reader.Int());
            (long cpu, long live, long waited, int flags) = (reader.Time(), reader.Time(), reader.Time(), reader.Int());
            processes[i] = new HotProcessRow(pid, name, daemon, filter, threads, cpu, live, waited, Exited: [], (flags & HasClock) != 0, (flags & IsKernelThread) != 0);
        }
        HotThreadRow[] rows = new HotThreadRow[reader.Count()];
        for (int i = 0; i < rows.Length; i++)
        {
            (int process, int tid, string name, int state, Verdict verdict) = (reader.Int(), reader.Int(), textOf(reader.Int()), reader.Int(), (Verdict)reader.Int());
            (long cpu, long wait, int reason) = (reader.Time(), reader.Long(), reader.Int());
            if (process >= processes.Length || verdict > Verdict.Idle || state > sbyte.MaxValue)
                throw Invalid();
            rows[i] = new HotThreadRow(processes[process], tid, name, (char)state, cpu, wait == 0 ? null : (wait - 1) * Microsecond, User: 0, Kernel: 0, Saturated: null, History: [],
                verdict, reason > 0 ? textOf(reason) : verdict == Verdict.Busy ? VerdictReason.Busy(cpu, length) : "");
        }
        return rows;
    }

    private static InvalidDataException Invalid() => new("the rows of an interval are not valid");

    private static void Put(ArrayBufferWriter<byte> output, long value)
    {
        Span<byte> bytes = stackalloc byte[10];
        int length = 0;
        ulong rest = (ulong)Math.Max(0, value);
        for (; rest >= 0x80; rest >>= 7)
            bytes[length++] = (byte)(rest | 0x80);
        bytes[length++] = (byte)rest;
        output.Write(bytes[..length]);
    }

    private ref struct Reader(ReadOnlySpan<byte> data)
    {
        // 2^50 microseconds are 35 years.
        private const long Largest = 1L << 50;

        private ReadOnlySpan<byte> _rest = data;

        public long Long()
        {
            long value = 0;
            for (int shift = 0; shift < 63 && !_rest.IsEmpty; shift += 7)
            {
                byte next = _rest[0];
                _rest = _rest[1..];
                value |= (long)(next & 0x7f) << shift;
                if (next < 0x80)
                    return value <= Largest ? value : throw Invalid();
            }
            throw Invalid();
        }

        public int Int() => Long() is var value && value <= int.MaxValue ? (int)value : throw Invalid();

        /// <summary>In nanoseconds.</summary>
        public long Time() => Long() * Microsecond;

        /// <summary>A number of items, of which each has a byte at least.</summary>
        public int Count() => Int() is var count && count <= _rest.Length ? count : throw Invalid();
    }
}
