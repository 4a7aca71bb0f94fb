using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using ThreadExporter.Linux;

namespace ThreadExporter.Netlink;

/// <summary>
/// Receives the record that the kernel makes of each thread of the host when it exits. Not thread-safe. It needs CAP_NET_ADMIN in the initial
/// user, pid and network namespaces, and CONFIG_TASKSTATS.
/// </summary>
public sealed class ExitRecordListener : IDisposable
{
    /// <summary>
    /// Bytes, which the kernel doubles. A record takes 2.3 KB of it (version 16), so that 7,000 fit: a third of a second at 20,000 exits a second.
    /// </summary>
    internal const int DefaultReceiveBuffer = 8 << 20;

    private const string PossibleCpus = "/sys/devices/system/cpu/possible";
    private const int Attempts = 3;
    private const int AnswerMilliseconds = 500;

    private readonly NetlinkSocket _socket;
    private readonly ExitRecordParser _parser;
    private readonly ushort _family;
    private readonly string _cpus;
    private readonly List<ExitRecord> _waiting = [];
    private ProcessConnector? _connector;
    private bool _disposed;

    private ExitRecordListener(NetlinkSocket socket, ushort family, string cpus, bool ignoreTgid)
    {
        _socket = socket;
        _family = family;
        _cpus = cpus;
        _parser = new ExitRecordParser(family, ignoreTgid);
    }

    /// <summary>How many datagrams the kernel has dropped because they were not drained in time, as of the last <see cref="Drain"/>. It never decreases.</summary>
    public long Lost { get; private set; }

    /// <summary>How many messages could not be read. It never decreases.</summary>
    public long Malformed => _parser.Malformed;

    /// <summary>The format of the records.</summary>
    public TaskstatsLayout Layout => _parser.Layout!;

    /// <summary>
    /// Subscribes, and checks the format with a thread of its own: 20 ms of CPU time, or three times that. Threads that exit meanwhile are not
    /// reported.
    /// </summary>
    /// <param name="listener">To be disposed; null on failure.</param>
    /// <param name="reason">On failure why, for a person.</param>
    public static bool TryOpen([NotNullWhen(true)] out ExitRecordListener? listener, out string reason) =>
        TryOpen(DefaultReceiveBuffer, ignoreTgid: false, out listener, out reason);

    internal static bool TryOpen(int receiveBuffer, bool ignoreTgid, [NotNullWhen(true)] out ExitRecordListener? listener, out string reason)
    {
        listener = null;
        string cpus;
        try
        {
            cpus = File.ReadAllText(PossibleCpus).Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            reason = $"{PossibleCpus}: {exception.Message}";
            return false;
        }
        NetlinkSocket? socket = NetlinkSocket.TryOpen(NetlinkSocket.Generic, 0, out int error);
        if (socket is null)
        {
            reason = $"a netlink socket cannot be opened: errno {error} (a systemd unit needs RestrictAddressFamilies=AF_NETLINK)";
            return false;
        }
        socket.SetReceiveBuffer(receiveBuffer);
        error = GenericNetlink.FindTaskstats(socket, out ushort family);
        bool found = error == 0;
        if (found)
            error = GenericNetlink.Register(socket, family, cpus);
        if (error != 0)
        {
            reason = ReasonOf(error, found);
            socket.Dispose();
            return false;
        }
        listener = new ExitRecordListener(socket, family, cpus, ignoreTgid);
        if (listener.TryVerify(out reason))
            return true;
        listener.Dispose();
        listener = null;
        return false;
    }

    /// <summary>Receives what waits. The cost is about a microsecond or two of CPU time for each record.</summary>
    /// <param name="into">Records are added. They come in the order of the exits on each CPU; those of different CPUs may be mixed.</param>
    /// <param name="budget">The time after which it stops; what then waits is left to the next call.</param>
    /// <returns>Whether nothing waits any more.</returns>
    public bool Drain(List<ExitRecord> into, TimeSpan budget)
    {
        ArgumentNullException.ThrowIfNull(into);
        long start = Stopwatch.GetTimestamp();
        int first = into.Count, old = _waiting.Count, count;
        into.AddRange(_waiting);
        _waiting.Clear();
        do
        {
            count = _socket.Receive();
            for (int i = 0; i < count; i++)
            {
                if (!_socket.IsFromKernel(i))
                    continue;
                if (_socket.IsTruncated(i))
                    _parser.CountMalformed();
                else
                    _parser.Parse(_socket.Datagram(i), into);
            }
        }
        while (count == NetlinkSocket.BatchSize && Stopwatch.GetElapsedTime(start) < budget);
        _connector?.Receive(start, budget);
        _connector?.Resolve(into, first, old, _waiting);
        // After receiving: what was dropped before the last record was received is then known.
        Lost = _socket.ReadDrops();
        return count < NetlinkSocket.BatchSize;
    }

    /// <summary>Ends the subscription.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _connector?.Dispose();
        GenericNetlink.Deregister(_socket, _family, _cpus);
        _socket.Dispose();
    }

    private bool TryVerify(out string reason)
    {
        reason = "";
        List<ExitRecord> records = [];
        // More than once: on a busy host the record may be lost, and the connector is opened only when the records turn out to need it.
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            OwnThread own = OwnThread.Run();
            if (TryFind(own, records, out ExitRecord record) && _parser.Layout is { } layout)
            {
                if (layout.HasTgid || record.Tgid != 0)
                    return layout.TryVerify(record, own, out reason);
                // The event that names the process may not have come in time.
                if (_connector is not null)
                    continue;
                _connector = ProcessConnector.TryOpen(out int error);
                if (_connector is null)
                {
                    reason = $"the exit records of this kernel do not name the process, and its process connector is not available: errno {error}";
                    return false;
                }
            }
        }
        (int version, int length) = _parser.Unknown;
        reason = version != 0
            ? $"the exit records of this kernel have an unknown format: taskstats version {version}, {length} bytes"
            // Newer kernels accept a request from another network namespace (netnsok, kernel/taskstats.c), but send the records to the initial one.
            : "no exit record of an own thread has arrived: they go to the initial network namespace only";
        return false;
    }

    private bool TryFind(OwnThread own, List<ExitRecord> records, out ExitRecord record)
    {
        long start = Stopwatch.GetTimestamp();
        do
        {
            records.Clear();
            Drain(records, TimeSpan.FromMilliseconds(AnswerMilliseconds));
            foreach (ExitRecord candidate in records)
            {
                if (candidate.Tid == own.Tid)
                {
                    record = candidate;
                    return true;
                }
            }
            // The thread is still there for a moment after the runtime has seen its end.
            Thread.Sleep(1);
        }
        while (Stopwatch.GetElapsedTime(start).TotalMilliseconds < AnswerMilliseconds);
        record = default;
        return false;
    }

    private static string ReasonOf(int error, bool found) => (error, found) switch
    {
        (GenericNetlink.NotFound, false) =>
            "the kernel has no taskstats (CONFIG_TASKSTATS), or this is not the initial network namespace",
        (GenericNetlink.PermissionDenied or GenericNetlink.InvalidArgument, true) =>
            "exit records require CAP_NET_ADMIN in the initial user, pid and network namespaces",
        (GenericNetlink.NoAnswer, _) => "the kernel does not answer to a request for taskstats",
        _ => $"the kernel rejects a request for taskstats: errno {error}",
    };
}
