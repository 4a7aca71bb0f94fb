using System.Runtime.InteropServices;
using System.Text;
using ThreadExporter.Linux;

namespace ThreadExporter.Netlink;

/// <summary>
/// Requests to the kernel's taskstats over generic netlink: Documentation/accounting/taskstats.rst, include/uapi/linux/taskstats.h and
/// genetlink.h. The kernel answers before the call that sends returns.
/// </summary>
internal static class GenericNetlink
{
    public const int PermissionDenied = 1, NotFound = 2, InvalidArgument = 22; // errno(3): EPERM, ENOENT, EINVAL
    public const int NoAnswer = -1;
    public const int HeaderSize = 4; // struct genlmsghdr: cmd, version, reserved
    public const byte TaskstatsVersion = 1; // TASKSTATS_GENL_VERSION

    private const ushort ErrorMessage = 2; // NLMSG_ERROR
    private const ushort RequestWithAck = 0x1 | 0x4; // NLM_F_REQUEST, NLM_F_ACK
    private const ushort Controller = 0x10; // GENL_ID_CTRL
    private const byte GetFamily = 3; // CTRL_CMD_GETFAMILY
    private const ushort FamilyId = 1, FamilyName = 2; // CTRL_ATTR_…
    private const byte TaskstatsGet = 1; // TASKSTATS_CMD_GET
    private const ushort RegisterCpuMask = 3, DeregisterCpuMask = 4; // TASKSTATS_CMD_ATTR_…
    private const int MaxCpuMask = 1024;

    /// <summary>Asks for the number of the family TASKSTATS. Without any privilege.</summary>
    /// <returns>0; ENOENT when the kernel has none, or not for this network namespace; another errno, or <see cref="NoAnswer"/>.</returns>
    public static int FindTaskstats(NetlinkSocket socket, out ushort family)
    {
        int error = Request(socket, Controller, GetFamily, FamilyName, "TASKSTATS\0"u8, out family);
        return error == 0 && family == 0 ? NoAnswer : error;
    }

    /// <summary>Asks for a record of each thread that exits on one of the CPUs.</summary>
    /// <param name="socket">The records come to this socket.</param>
    /// <param name="family">From <see cref="FindTaskstats"/>.</param>
    /// <param name="cpus">A list as in <c>/sys/devices/system/cpu/possible</c>.</param>
    /// <returns>
    /// 0; EPERM without CAP_NET_ADMIN in the initial user namespace; EINVAL outside the initial user or pid namespace, or for a wrong list
    /// (add_del_listener, kernel/taskstats.c); <see cref="NoAnswer"/>.
    /// </returns>
    public static int Register(NetlinkSocket socket, ushort family, string cpus) =>
        cpus.Length < MaxCpuMask ? Request(socket, family, TaskstatsGet, RegisterCpuMask, Terminated(cpus), out _) : InvalidArgument;

    /// <summary>Ends it. The answer is not read: many records may be queued before it.</summary>
    public static void Deregister(NetlinkSocket socket, ushort family, string cpus) =>
        Send(socket, family, TaskstatsGet, DeregisterCpuMask, Terminated(cpus), 0);

    // The kernel takes the last byte for the NUL (nla_strscpy): without it the last digit would be cut off.
    private static byte[] Terminated(string cpus) => Encoding.ASCII.GetBytes(cpus + '\0');

    private static int Request(NetlinkSocket socket, ushort type, byte command, ushort attribute, ReadOnlySpan<byte> value, out ushort family)
    {
        const uint Sequence = 1;
        family = 0;
        int error = Send(socket, type, command, attribute, value, Sequence);
        if (error != 0)
            return error;
        int count;
        do
        {
            count = socket.Receive();
            for (int i = 0; i < count; i++)
            {
                if (socket.IsFromKernel(i) && TryReadAnswer(socket.Datagram(i), Sequence, ref family, out error))
                    return error;
            }
        }
        while (count == NetlinkSocket.BatchSize);
        return NoAnswer;
    }

    /// <summary>Reads a datagram that may be an answer. False for anything else, such as a record.</summary>
    internal static bool TryReadAnswer(ReadOnlySpan<byte> datagram, uint sequence, ref ushort family, out int error)
    {
        error = NoAnswer;
        NetlinkMessages messages = new(datagram);
        while (messages.MoveNext())
        {
            if (messages.Sequence != sequence)
                continue;
            if (messages.Type == ErrorMessage && messages.Payload.Length >= sizeof(int))
            {
                // struct nlmsgerr: 0 or a negative errno. It is the acknowledgement too, and comes last.
                error = unchecked(-MemoryMarshal.Read<int>(messages.Payload));
                return true;
            }
            if (messages.Type != Controller || messages.Payload.Length < HeaderSize)
                continue;
            NetlinkAttributes attributes = new(messages.Payload[HeaderSize..]);
            while (attributes.MoveNext())
            {
                if (attributes.Type == FamilyId && attributes.Value.Length == sizeof(ushort))
                    family = MemoryMarshal.Read<ushort>(attributes.Value);
            }
        }
        return false;
    }

    private static int Send(NetlinkSocket socket, ushort type, byte command, ushort attribute, ReadOnlySpan<byte> value, uint sequence)
    {
        const int Attribute = NetlinkMessages.HeaderSize + HeaderSize;
        Span<byte> message = stackalloc byte[Attribute + NetlinkAttributes.HeaderSize + MaxCpuMask];
        message.Clear();
        int length = Attribute + NetlinkAttributes.HeaderSize + value.Length;
        MemoryMarshal.Write(message, (uint)NetlinkMessages.Aligned(length));
        MemoryMarshal.Write(message[4..], type);
        MemoryMarshal.Write(message[6..], RequestWithAck);
        MemoryMarshal.Write(message[8..], sequence);
        message[NetlinkMessages.HeaderSize] = command;
        message[NetlinkMessages.HeaderSize + 1] = TaskstatsVersion;
        MemoryMarshal.Write(message[Attribute..], (ushort)(NetlinkAttributes.HeaderSize + value.Length));
        MemoryMarshal.Write(message[(Attribute + 2)..], attribute);
        value.CopyTo(message[(Attribute + NetlinkAttributes.HeaderSize)..]);
        return socket.Send(message[..NetlinkMessages.Aligned(length)]);
    }
}
