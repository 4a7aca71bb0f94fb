using System.Runtime.InteropServices;

namespace ThreadExporter.Netlink;

/// <summary>The messages of a datagram, one after the other: struct nlmsghdr of netlink(7). Numbers are in the byte order of the machine.</summary>
internal ref struct NetlinkMessages(ReadOnlySpan<byte> datagram)
{
    public const int HeaderSize = 16;

    private ReadOnlySpan<byte> _rest = datagram;

    /// <summary>NLMSG_ERROR, NLMSG_DONE, or the family.</summary>
    public ushort Type { get; private set; }
    public uint Sequence { get; private set; }
    /// <summary>What follows the header.</summary>
    public ReadOnlySpan<byte> Payload { get; private set; }

    /// <summary>The datagram ends within a message, or a length is impossible. What came before is valid.</summary>
    public bool IsMalformed { get; private set; } = datagram.IsEmpty;

    public bool MoveNext()
    {
        if (_rest.IsEmpty)
            return false;
        uint length = _rest.Length < HeaderSize ? 0 : MemoryMarshal.Read<uint>(_rest);
        if (length < HeaderSize || length > _rest.Length)
        {
            IsMalformed = true;
            _rest = default;
            return false;
        }
        Type = MemoryMarshal.Read<ushort>(_rest[4..]);
        Sequence = MemoryMarshal.Read<uint>(_rest[8..]);
        Payload = _rest[HeaderSize..(int)length];
        _rest = _rest[Math.Min(Aligned((int)length), _rest.Length)..];
        return true;
    }

    /// <summary>NLMSG_ALIGN and NLA_ALIGN.</summary>
    public static int Aligned(int length) => (length + 3) & ~3;
}

/// <summary>Attributes, one after the other: struct nlattr of netlink(7).</summary>
internal ref struct NetlinkAttributes(ReadOnlySpan<byte> attributes)
{
    public const int HeaderSize = 4;
    private const ushort TypeMask = 0x3FFF; // NLA_TYPE_MASK: without NLA_F_NESTED and NLA_F_NET_BYTEORDER

    private ReadOnlySpan<byte> _rest = attributes;

    public ushort Type { get; private set; }
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>They end within an attribute, or a length is impossible.</summary>
    public bool IsMalformed { get; private set; }

    public bool MoveNext()
    {
        if (_rest.IsEmpty)
            return false;
        int length = _rest.Length < HeaderSize ? 0 : MemoryMarshal.Read<ushort>(_rest);
        if (length < HeaderSize || length > _rest.Length)
        {
            IsMalformed = true;
            _rest = default;
            return false;
        }
        Type = (ushort)(MemoryMarshal.Read<ushort>(_rest[2..]) & TypeMask);
        Value = _rest[HeaderSize..length];
        _rest = _rest[Math.Min(NetlinkMessages.Aligned(length), _rest.Length)..];
        return true;
    }
}
