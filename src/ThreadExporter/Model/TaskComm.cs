using System.Buffers.Binary;

namespace ThreadExporter.Model;

/// <summary>The name of a task as the kernel stores it: at most 15 bytes (TASK_COMM_LEN, include/linux/sched.h). A key without allocation.</summary>
internal readonly record struct TaskComm
{
    private const int Length = 16;

    private readonly ulong _first;
    private readonly ulong _second;

    /// <param name="name">The bytes; what is longer than 15 is cut.</param>
    public TaskComm(ReadOnlySpan<byte> name)
    {
        Span<byte> bytes = stackalloc byte[Length];
        bytes.Clear();
        name[..Math.Min(name.Length, Length - 1)].CopyTo(bytes);
        (_first, _second) = (BinaryPrimitives.ReadUInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]));
    }

    public byte[] ToArray()
    {
        byte[] bytes = new byte[Length];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, _first);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), _second);
        return bytes[..bytes.IndexOf((byte)0)];
    }
}
