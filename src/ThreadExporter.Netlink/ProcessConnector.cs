using System.Diagnostics;
using System.Runtime.InteropServices;
using ThreadExporter.Linux;

namespace ThreadExporter.Netlink;

/// <summary>
/// Which process an exited thread belonged to, for kernels whose records do not say it: the exit events of the process connector
/// (include/uapi/linux/cn_proc.h and connector.h, drivers/connector/cn_proc.c). An event follows the thread's record within microseconds.
/// </summary>
internal sealed class ProcessConnector : IDisposable
{
    /// <summary>How many exits are remembered until their records ask for them. More of them have lost their records.</summary>
    public const int Capacity = 65_536;

    private const int ReceiveBuffer = 4 << 20;
    private const uint Group = 1, Index = 1, Value = 1; // CN_IDX_PROC, CN_VAL_PROC
    private const ushort Done = 3; // NLMSG_DONE
    private const uint Listen = 1, Ignore = 2; // PROC_CN_MCAST_…
    private const uint Exit = 0x80000000; // PROC_EVENT_EXIT
    private const int EventOffset = 20; // sizeof(struct cn_msg)
    private const int DataOffset = EventOffset + 16; // event_data of struct proc_event
    private const int LengthOffset = 16;

    private readonly NetlinkSocket _socket;
    private readonly Dictionary<int, int> _processes = [];

    private bool _disposed;

    private ProcessConnector(NetlinkSocket socket) => _socket = socket;

    /// <summary>Subscribes to the events of the whole host.</summary>
    /// <param name="error">errno when the result is null: EPERM without CAP_NET_ADMIN, EPROTONOSUPPORT or ECONNREFUSED without CONFIG_PROC_EVENTS.</param>
    public static ProcessConnector? TryOpen(out int error)
    {
        NetlinkSocket? socket = NetlinkSocket.TryOpen(NetlinkSocket.Connector, Group, out error);
        if (socket is null)
            return null;
        socket.SetReceiveBuffer(ReceiveBuffer);
        ProcessConnector connector = new(socket);
        error = connector.Send(Listen);
        if (error == 0)
            return connector;
        socket.Dispose();
        return null;
    }

    /// <summary>Receives the events that wait, until the budget since <paramref name="start"/> (a timestamp of Stopwatch) is used up.</summary>
    public void Receive(long start, TimeSpan budget)
    {
        int count;
        do
        {
            count = _socket.Receive();
            for (int i = 0; i < count; i++)
            {
                if (_socket.IsFromKernel(i))
                    Parse(_socket.Datagram(i), _processes);
            }
        }
        while (count == NetlinkSocket.BatchSize && Stopwatch.GetElapsedTime(start) < budget);
    }

    /// <summary>
    /// Gives the records their processes. What has no event yet is moved to <paramref name="waiting"/>, and is to be given to the next call.
    /// </summary>
    /// <param name="records">The records.</param>
    /// <param name="first">The index of the first that is looked up.</param>
    /// <param name="old">How many of them wait since the call before; they are not moved again.</param>
    /// <param name="waiting">An empty list.</param>
    public void Resolve(List<ExitRecord> records, int first, int old, List<ExitRecord> waiting)
    {
        Span<ExitRecord> span = CollectionsMarshal.AsSpan(records);
        int kept = first;
        for (int i = first; i < span.Length; i++)
        {
            if (_processes.Remove(span[i].Tid, out int tgid))
                // These records have no flag for the last thread. The main thread usually is.
                span[kept++] = span[i] with { Tgid = tgid, IsLastThread = span[i].IsLastThread || span[i].Tid == tgid };
            else if (i < first + old)
                span[kept++] = span[i];
            else
                waiting.Add(span[i]);
        }
        CollectionsMarshal.SetCount(records, kept);
    }

    /// <summary>Adds tid and tgid of each exit in a datagram. Anything else, garbage too, is skipped.</summary>
    public static void Parse(ReadOnlySpan<byte> datagram, Dictionary<int, int> processes)
    {
        NetlinkMessages messages = new(datagram);
        while (messages.MoveNext())
        {
            ReadOnlySpan<byte> payload = messages.Payload;
            if (payload.Length < DataOffset + (2 * sizeof(int))
                || Int(payload, 0) != Index || Int(payload, 4) != Value
                || (uint)Int(payload, EventOffset) != Exit)
                continue;
            int tid = Int(payload, DataOffset), tgid = Int(payload, DataOffset + sizeof(int));
            if (tid <= 0 || tgid <= 0)
                continue;
            // The records of so many threads were lost; none of them will be asked for.
            if (processes.Count >= Capacity)
                processes.Clear();
            processes[tid] = tgid;
        }
    }

    private int Send(uint operation)
    {
        const int Size = NetlinkMessages.HeaderSize + EventOffset + sizeof(uint);
        Span<byte> message = stackalloc byte[Size];
        message.Clear();
        MemoryMarshal.Write(message, (uint)Size);
        MemoryMarshal.Write(message[4..], Done);
        Span<byte> connector = message[NetlinkMessages.HeaderSize..];
        MemoryMarshal.Write(connector, Index);
        MemoryMarshal.Write(connector[4..], Value);
        MemoryMarshal.Write(connector[LengthOffset..], (ushort)sizeof(uint));
        MemoryMarshal.Write(connector[EventOffset..], operation);
        return _socket.Send(message);
    }

    private static int Int(ReadOnlySpan<byte> bytes, int offset) => MemoryMarshal.Read<int>(bytes[offset..]);

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        // Older kernels count subscriptions, not sockets (proc_event_num_listeners): without this it would make events for nobody until the next boot.
        Send(Ignore);
        _socket.Dispose();
    }
}
