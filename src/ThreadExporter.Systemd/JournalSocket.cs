using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ThreadExporter.Systemd;

/// <summary>What became of a record given to a <see cref="JournalSocket"/>.</summary>
public enum JournalResult
{
    Sent,
    /// <summary>The journal does not keep up (EAGAIN) or the kernel has no memory: dropped, so that a log call never blocks.</summary>
    Dropped,
    /// <summary>No journal listens there (ENOENT, ECONNREFUSED), or it may not be reached.</summary>
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
    private long _dropped;

    /// <exception cref="ArgumentOutOfRangeException">The path is empty or longer than a socket address takes.</exception>
    public JournalSocket(string path = DefaultPath)
    {
        SocketAddress address = new UnixDomainSocketEndPoint(path).Serialize();
        _address = address.Buffer.Span[..address.Size].ToArray();
    }

    /// <summary>Records that did not reach the journal, for whatever reason.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Sends one record, as a datagram or, when it is too large for one, as a sealed memory file.</summary>
    public JournalResult Send(JournalRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        int error = Send(record.Bytes, null);
        if (error is Native.EMSGSIZE or Native.ENOBUFS)
            error = SendAsFile(record.Bytes);
        if (error == 0)
            return JournalResult.Sent;
        Interlocked.Increment(ref _dropped);
        return error is Native.EAGAIN or Native.ENOBUFS or Native.EMSGSIZE ? JournalResult.Dropped : JournalResult.Unavailable;
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>journald takes a memory file only with all seals on: it must not change under its hands.</summary>
    private int SendAsFile(ReadOnlySpan<byte> bytes)
    {
        using SafeFileHandle file = Native.CreateMemoryFile("journal-record", Native.MFD_CLOEXEC | Native.MFD_ALLOW_SEALING);
        if (file.IsInvalid)
            return Native.ENOBUFS;
        try
        {
            RandomAccess.Write(file, bytes, 0);
        }
        catch (IOException)
        {
            return Native.ENOBUFS;
        }
        return Native.FileControl(file, Native.F_ADD_SEALS, Native.AllSeals) < 0 ? Marshal.GetLastPInvokeError() : Send([], file);
    }

    /// <summary>One sendmsg(2). Unconnected, so that a restarted journald is found again. Returns 0 or errno.</summary>
    private unsafe int Send(ReadOnlySpan<byte> bytes, SafeFileHandle? file)
    {
        fixed (byte* address = _address)
        fixed (byte* data = bytes)
        {
            var vector = new Native.IoVector { Base = data, Length = (nuint)bytes.Length };
            var message = new Native.MessageHeader { Name = address, NameLength = (uint)_address.Length, Vectors = &vector, VectorCount = 1 };
            // The file is not disposed before this returns: its owner is our caller.
            var control = new Native.DescriptorMessage
            {
                Length = (nuint)(sizeof(Native.DescriptorMessage) - sizeof(int)),
                Level = Native.SOL_SOCKET,
                Type = Native.SCM_RIGHTS,
                Descriptor = (int)(file?.DangerousGetHandle() ?? -1),
            };
            if (file is not null)
            {
                message.VectorCount = 0;
                message.Control = &control;
                message.ControlLength = (nuint)sizeof(Native.DescriptorMessage);
            }
            try
            {
                return Native.SendMessage(_socket.SafeHandle, &message, Native.MSG_DONTWAIT | Native.MSG_NOSIGNAL) < 0 ? Marshal.GetLastPInvokeError() : 0;
            }
            catch (ObjectDisposedException)
            {
                return Native.ECONNREFUSED;
            }
        }
    }
}
