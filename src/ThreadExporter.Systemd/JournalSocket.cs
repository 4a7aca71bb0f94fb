using System.Net;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using ThreadExporter.Linux;

namespace ThreadExporter.Systemd;

/// <summary>The result of <see cref="JournalSocket.Send"/>.</summary>
public enum JournalResult
{
    Sent,
    /// <summary>The journal is too slow (EAGAIN) or the kernel has no memory: dropped, so that a log call never blocks.</summary>
    Dropped,
    /// <summary>No journal listens on the socket (ENOENT, ECONNREFUSED), or it is not accessible.</summary>
    Unavailable,
}

/// <summary>
/// Sends records to journald. Thread-safe; never blocks and, once constructed, never throws.
/// Source: https://systemd.io/JOURNAL_NATIVE_PROTOCOL/.
/// </summary>
public sealed class JournalSocket : IDisposable
{
    public const string DefaultPath = "/run/systemd/journal/socket";

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly byte[] _address;

    /// <exception cref="ArgumentOutOfRangeException">The path is empty or too long for a socket address.</exception>
    public JournalSocket(string path = DefaultPath)
    {
        SocketAddress address = new UnixDomainSocketEndPoint(path).Serialize();
        _address = address.Buffer.Span[..address.Size].ToArray();
    }

    /// <summary>Sends one record, as a datagram or, when it is too large for one, as a sealed memory file.</summary>
    public JournalResult Send(JournalRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        SendStatus status = UnixDatagram.Send(_socket, _address, record.Bytes);
        if (status == SendStatus.TooLarge)
            status = SendAsFile(record.Bytes);
        if (status == SendStatus.Sent)
            return JournalResult.Sent;
        return status == SendStatus.Unreachable ? JournalResult.Unavailable : JournalResult.Dropped;
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>journald accepts a memory file only when it is fully sealed, so that its content cannot change while it is read.</summary>
    private SendStatus SendAsFile(ReadOnlySpan<byte> bytes)
    {
        using SafeFileHandle? file = SealedFile.Create(bytes);
        return file is null ? SendStatus.TooLarge : UnixDatagram.SendFile(_socket, _address, file);
    }
}
