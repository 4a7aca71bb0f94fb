using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;

namespace ThreadExporter.Linux;

public enum SendStatus
{
    Sent,

    /// <summary>Too large for one datagram (EMSGSIZE), or the kernel has no memory for it (ENOBUFS).</summary>
    TooLarge,

    /// <summary>The receiver's queue is full (EAGAIN).</summary>
    WouldBlock,

    /// <summary>Nothing listens at the address, or it is not accessible.</summary>
    Unreachable,
}

/// <summary>Datagrams on a Unix domain socket that never block: sendmsg(2).</summary>
public static unsafe class UnixDatagram
{
    /// <summary>Sends bytes to an address without connecting, so that a restarted receiver is found again.</summary>
    /// <param name="socket">A socket of type SOCK_DGRAM.</param>
    /// <param name="address">struct sockaddr_un.</param>
    /// <param name="data">The datagram.</param>
    public static SendStatus Send(Socket socket, ReadOnlySpan<byte> address, ReadOnlySpan<byte> data)
    {
        fixed (byte* pointer = data)
        {
            Native.Iovec vector = new() { Base = pointer, Length = (nuint)data.Length };
            Native.Msghdr message = new() { Vectors = &vector, VectorCount = 1 };
            return Send(socket, address, &message);
        }
    }

    /// <summary>Passes a file with an empty datagram: SCM_RIGHTS of unix(7). The caller still owns the file.</summary>
    /// <param name="socket">A socket of type SOCK_DGRAM.</param>
    /// <param name="address">struct sockaddr_un.</param>
    /// <param name="file">The file; not disposed before this returns.</param>
    public static SendStatus SendFile(Socket socket, ReadOnlySpan<byte> address, SafeFileHandle file)
    {
        ArgumentNullException.ThrowIfNull(file);
        Native.Cmsghdr control = new()
        {
            Length = (nuint)(sizeof(Native.Cmsghdr) - sizeof(int)),
            Level = Native.SOL_SOCKET,
            Type = Native.SCM_RIGHTS,
            Descriptor = (int)file.DangerousGetHandle(),
        };
        Native.Msghdr message = new() { Control = &control, ControlLength = (nuint)sizeof(Native.Cmsghdr) };
        return Send(socket, address, &message);
    }

    private static SendStatus Send(Socket socket, ReadOnlySpan<byte> address, Native.Msghdr* message)
    {
        ArgumentNullException.ThrowIfNull(socket);
        fixed (byte* name = address)
        {
            message->Name = name;
            message->NameLength = (uint)address.Length;
            try
            {
                if (Native.sendmsg(socket.SafeHandle, message, Native.MSG_DONTWAIT | Native.MSG_NOSIGNAL) >= 0)
                    return SendStatus.Sent;
            }
            catch (ObjectDisposedException)
            {
                return SendStatus.Unreachable;
            }
        }
        return Native.Errno switch
        {
            Native.EMSGSIZE or Native.ENOBUFS => SendStatus.TooLarge,
            Native.EAGAIN => SendStatus.WouldBlock,
            _ => SendStatus.Unreachable,
        };
    }
}
