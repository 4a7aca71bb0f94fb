using Microsoft.Win32.SafeHandles;

namespace ThreadExporter.Linux;

/// <summary>
/// A netlink socket that never blocks: netlink(7). It receives many datagrams with one call into buffers that are allocated once; draining
/// allocates nothing. Not thread-safe.
/// </summary>
public sealed unsafe class NetlinkSocket : IDisposable
{
    /// <summary>NETLINK_GENERIC, include/uapi/linux/netlink.h.</summary>
    public const int Generic = 16;

    /// <summary>NETLINK_CONNECTOR, include/uapi/linux/netlink.h.</summary>
    public const int Connector = 11;

    /// <summary>The longest datagram that is received whole, in bytes.</summary>
    public const int MaxDatagram = 4096;

    /// <summary>How many datagrams one call of <see cref="Receive"/> returns at most. More save little: the call is then a small part of the cost.</summary>
    public const int BatchSize = 32;

    private readonly SafeFileHandle _socket;

    // Pinned, because the headers hold pointers to them between calls.
    private readonly byte[] _buffers = GC.AllocateUninitializedArray<byte>(BatchSize * MaxDatagram, pinned: true);
    private readonly Native.SockaddrNl[] _senders = GC.AllocateArray<Native.SockaddrNl>(BatchSize, pinned: true);
    private readonly Native.Iovec[] _vectors = GC.AllocateArray<Native.Iovec>(BatchSize, pinned: true);
    private readonly Native.Mmsghdr[] _messages = GC.AllocateArray<Native.Mmsghdr>(BatchSize, pinned: true);
    private uint _lastDrops;
    private long _drops;

    private NetlinkSocket(SafeFileHandle socket)
    {
        _socket = socket;
        for (int i = 0; i < BatchSize; i++)
        {
            fixed (byte* buffer = &_buffers[i * MaxDatagram])
                _vectors[i] = new Native.Iovec { Base = buffer, Length = MaxDatagram };
            fixed (Native.Iovec* vector = &_vectors[i])
            fixed (Native.SockaddrNl* sender = &_senders[i])
                _messages[i].Header = new Native.Msghdr { Name = sender, Vectors = vector, VectorCount = 1 };
        }
    }

    /// <summary>Opens a socket with a port number that the kernel chooses: socket(2) and bind(2).</summary>
    /// <param name="protocol"><see cref="Generic"/> or <see cref="Connector"/>.</param>
    /// <param name="groups">A mask of multicast groups (nl_groups); 0 for none.</param>
    /// <param name="error">errno when the result is null.</param>
    public static NetlinkSocket? TryOpen(int protocol, uint groups, out int error)
    {
        SafeFileHandle socket = Native.socket(Native.AF_NETLINK, Native.SOCK_RAW | Native.SOCK_CLOEXEC | Native.SOCK_NONBLOCK, protocol);
        error = socket.IsInvalid ? Native.Errno : 0;
        if (error == 0)
        {
            Native.SockaddrNl address = new() { Family = Native.AF_NETLINK, Groups = groups };
            if (Native.bind(socket, &address, (uint)sizeof(Native.SockaddrNl)) == 0)
            {
                // Else the kernel drops everything after an overflow until the queue is empty (netlink_overrun, net/netlink/af_netlink.c).
                // Without it, only more is lost.
                int on = 1;
                _ = Native.setsockopt(socket, Native.SOL_NETLINK, Native.NETLINK_NO_ENOBUFS, &on, sizeof(int));
                return new NetlinkSocket(socket);
            }
            error = Native.Errno;
        }
        socket.Dispose();
        return null;
    }

    /// <summary>
    /// Sets the size of the receive buffer; the kernel doubles it for its own structures (socket(7)). Without CAP_NET_ADMIN it cannot exceed
    /// net.core.rmem_max.
    /// </summary>
    public void SetReceiveBuffer(int bytes)
    {
        if (Native.setsockopt(_socket, Native.SOL_SOCKET, Native.SO_RCVBUFFORCE, &bytes, sizeof(int)) != 0)
            _ = Native.setsockopt(_socket, Native.SOL_SOCKET, Native.SO_RCVBUF, &bytes, sizeof(int));
    }

    /// <summary>Sends a datagram to the kernel, which handles it before this returns.</summary>
    /// <returns>0 or errno.</returns>
    public int Send(ReadOnlySpan<byte> datagram)
    {
        Native.SockaddrNl kernel = new() { Family = Native.AF_NETLINK };
        fixed (byte* data = datagram)
        {
            while (Native.sendto(_socket, data, (nuint)datagram.Length, Native.MSG_DONTWAIT, &kernel, (uint)sizeof(Native.SockaddrNl)) < 0)
            {
                if (Native.Errno != Native.EINTR)
                    return Native.Errno;
            }
        }
        return 0;
    }

    /// <summary>Receives what waits, at most <see cref="BatchSize"/> datagrams: recvmmsg(2). They are valid until the next call.</summary>
    /// <returns>How many; less than <see cref="BatchSize"/>: the queue was empty. After a failure too: a broken socket has nothing more.</returns>
    public int Receive()
    {
        for (int i = 0; i < BatchSize; i++)
        {
            // The kernel writes into it how long the address is.
            _messages[i].Header.NameLength = (uint)sizeof(Native.SockaddrNl);
        }
        fixed (Native.Mmsghdr* messages = _messages)
        {
            while (true)
            {
                int count = Native.recvmmsg(_socket, messages, BatchSize, Native.MSG_DONTWAIT, null);
                if (count >= 0)
                    return count;
                // ENOBUFS tells once of an overflow; the queue can still be read.
                if (Native.Errno is not (Native.EINTR or Native.ENOBUFS))
                    return 0;
            }
        }
    }

    /// <summary>A datagram of the last <see cref="Receive"/>, cut at <see cref="MaxDatagram"/>.</summary>
    public ReadOnlySpan<byte> Datagram(int index) => _buffers.AsSpan(index * MaxDatagram, (int)Math.Min(_messages[index].Length, MaxDatagram));

    /// <summary>Whether the kernel sent it: its nl_pid is 0 (netlink(7)). A process with the capability can send to any socket.</summary>
    public bool IsFromKernel(int index) =>
        _messages[index].Header.NameLength == sizeof(Native.SockaddrNl) && _senders[index] is { Family: Native.AF_NETLINK, PortId: 0 };

    /// <summary>Whether it was longer than <see cref="MaxDatagram"/>.</summary>
    public bool IsTruncated(int index) => (_messages[index].Header.Flags & Native.MSG_TRUNC) != 0;

    /// <summary>
    /// How many datagrams the kernel has dropped because the receive buffer was full: SK_MEMINFO_DROPS of SO_MEMINFO
    /// (include/uapi/linux/sock_diag.h). It never decreases.
    /// </summary>
    public long ReadDrops()
    {
        uint* values = stackalloc uint[Native.SK_MEMINFO_VARS];
        uint length = Native.SK_MEMINFO_VARS * sizeof(uint);
        if (Native.getsockopt(_socket, Native.SOL_SOCKET, Native.SO_MEMINFO, values, &length) == 0 && length == Native.SK_MEMINFO_VARS * sizeof(uint))
        {
            // The kernel's counter has 32 bits and wraps.
            _drops += unchecked(values[Native.SK_MEMINFO_DROPS] - _lastDrops);
            _lastDrops = values[Native.SK_MEMINFO_DROPS];
        }
        return _drops;
    }

    public void Dispose() => _socket.Dispose();
}
