using System.Runtime.InteropServices;

namespace ThreadExporter.Netlink.Tests;

/// <summary>What the tests do to the kernel and to their own threads.</summary>
internal static unsafe partial class Kernel
{
    private const int CapNetAdmin = 12;
    private const int NetlinkFamily = 16, Raw = 3, GenericProtocol = 16;
    private const int NewNetworkNamespace = 0x40000000; // CLONE_NEWNET

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int capget(CapabilityHeader* header, CapabilityData* data);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int capset(CapabilityHeader* header, CapabilityData* data);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int unshare(int flags);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint sendto(int socket, byte* data, nuint length, int flags, uint* address, uint addressLength);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int close(int descriptor);

    /// <summary>Only for the calling thread: capset(2).</summary>
    public static void DropNetAdmin()
    {
        CapabilityHeader header = new() { Version = 0x20080522 };
        CapabilityData* data = stackalloc CapabilityData[2];
        Assert.Equal(0, capget(&header, data));
        data[0].Effective &= ~(1u << CapNetAdmin);
        data[0].Permitted &= ~(1u << CapNetAdmin);
        Assert.Equal(0, capset(&header, data));
    }

    /// <summary>Only for the calling thread: unshare(2).</summary>
    public static void EnterNewNetworkNamespace() => Assert.Equal(0, unshare(NewNetworkNamespace));

    /// <summary>The port numbers of the generic netlink sockets of this process: /proc/net/netlink has them with their inodes.</summary>
    public static List<uint> GenericNetlinkPorts()
    {
        HashSet<string> own = [.. Directory.EnumerateFiles("/proc/self/fd").Select(f => new FileInfo(f).LinkTarget ?? "")];
        return [.. File.ReadLines("/proc/net/netlink").Skip(1)
            .Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(f => f[1] == "16" && own.Contains($"socket:[{f[^1]}]"))
            .Select(f => uint.Parse(f[2]))];
    }

    /// <summary>Sends a datagram to a netlink socket as another process would.</summary>
    public static void SendTo(uint port, byte[] datagram)
    {
        int sender = socket(NetlinkFamily, Raw, GenericProtocol);
        Assert.True(sender >= 0);
        uint* address = stackalloc uint[3] { NetlinkFamily, port, 0 };
        fixed (byte* data = datagram)
            Assert.Equal(datagram.Length, sendto(sender, data, (nuint)datagram.Length, 0, address, 3 * sizeof(uint)));
        Assert.Equal(0, close(sender));
    }

    /// <summary>A thread with a name that uses CPU time and ends. Returns its id and the CPU time.</summary>
    public static (int Tid, long CpuNanoseconds) RunThread(string name, long cpuNanoseconds)
    {
        int tid = 0;
        long cpu = 0;
        Libc.OnOwnThread(() =>
        {
            Libc.SetThreadName(Taskstats.Ascii(name));
            tid = Libc.ThreadId;
            while ((cpu = Linux.Clocks.ThreadCpuNanoseconds()) < cpuNanoseconds)
            {
                // Uses CPU time.
            }
        });
        return (tid, cpu);
    }

    private struct CapabilityHeader
    {
        public uint Version;
        public int Pid;
    }

    /// <summary>struct __user_cap_data_struct of capget(2); one for each 32 capabilities.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 12)]
    private struct CapabilityData
    {
        public uint Effective;
        public uint Permitted;
    }
}
