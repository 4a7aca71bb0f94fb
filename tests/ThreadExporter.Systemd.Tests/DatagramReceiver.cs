using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace ThreadExporter.Systemd.Tests;

/// <summary>A datagram socket in a temporary directory, used in place of journald or the service manager.</summary>
internal sealed partial class DatagramReceiver : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("dgram-");
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

    public DatagramReceiver()
    {
        Path = System.IO.Path.Combine(_directory.FullName, "socket");
        _socket.Bind(new UnixDomainSocketEndPoint(Path));
        _socket.ReceiveTimeout = 5000;
    }

    public string Path { get; }

    /// <summary>No datagram is queued.</summary>
    public bool IsEmpty => !_socket.Poll(0, SelectMode.SelectRead);

    public byte[] Receive()
    {
        byte[] buffer = new byte[1 << 20];
        return buffer[.._socket.Receive(buffer)];
    }

    public string ReceiveText() => Encoding.UTF8.GetString(Receive());

    /// <summary>Receives one datagram with a descriptor (recvmsg(2)); -1: without one.</summary>
    public unsafe int ReceiveDescriptor(out int payload)
    {
        byte* data = stackalloc byte[16];
        nuint* control = stackalloc nuint[8];
        nuint* vector = stackalloc nuint[2] { (nuint)data, 16 };
        // struct msghdr: name, name length, vectors, vector count, control, control length, flags.
        nuint* header = stackalloc nuint[7] { 0, 0, (nuint)vector, 1, (nuint)control, 8 * (nuint)sizeof(nuint), 0 };
        payload = (int)ReceiveMessage(_socket.SafeHandle, header, 0);
        return header[5] == 0 ? -1 : *(int*)(control + 2);
    }

    public void Dispose()
    {
        _socket.Dispose();
        _directory.Delete(recursive: true);
    }

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    private static unsafe partial nint ReceiveMessage(SafeHandle socket, nuint* header, int flags);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int FileControl(int descriptor, int command);

    /// <summary>F_GET_SEALS of fcntl(2).</summary>
    public static int Seals(int descriptor) => FileControl(descriptor, 1034);

    /// <summary>Device and inode of a descriptor of this process, from stat(1).</summary>
    public static async Task<string> DeviceAndInodeAsync(nint descriptor)
    {
        ProcessStartInfo start = new("stat")
        {
            ArgumentList = { "-L", "-c", "%d:%i", string.Create(CultureInfo.InvariantCulture, $"/proc/{Environment.ProcessId}/fd/{descriptor}") },
            RedirectStandardOutput = true,
        };
        using Process stat = Process.Start(start)!;
        string text = await stat.StandardOutput.ReadToEndAsync();
        await stat.WaitForExitAsync();
        return text.Trim();
    }
}
