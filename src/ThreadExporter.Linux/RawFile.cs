using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace ThreadExporter.Linux;

/// <summary>
/// Synchronous reads relative to a directory, on raw descriptors (-1 = none). Nothing here allocates. A call that a signal interrupts is repeated.
/// The caller closes what it opened.
/// </summary>
public static unsafe class RawFile
{
    /// <summary>The longest accepted path, in bytes. Paths below a process directory are much shorter.</summary>
    public const int MaxPathLength = 255;

    // O_NONBLOCK has no effect in /proc. In a tree of plain files (or a wrong --path.procfs) it keeps the open of a FIFO from waiting for a
    // writer forever; the read then fails with ESPIPE.
    private const int OpenFlags = Native.O_RDONLY | Native.O_CLOEXEC | Native.O_NONBLOCK;

    /// <summary>Opens <paramref name="path"/> (no NUL) for reading, relative to <paramref name="dirFd"/>: openat(2).</summary>
    public static ReadStatus Open(int dirFd, ReadOnlySpan<byte> path, out int fd) => OpenAt(dirFd, path, OpenFlags, out fd);

    /// <summary>
    /// Opens a directory to open files below it and to list it. Not O_PATH: getdents64(2) needs a readable descriptor,
    /// and a process directory that cannot be read cannot be searched either (hidepid).
    /// </summary>
    public static ReadStatus OpenDirectory(int dirFd, ReadOnlySpan<byte> path, out int fd) =>
        OpenAt(dirFd, path, OpenFlags | Native.O_DIRECTORY, out fd);

    /// <summary>Opens a file by its absolute path, which may be longer than <see cref="MaxPathLength"/>.</summary>
    /// <param name="path">UTF-8 with a NUL at its end.</param>
    /// <param name="fd">The descriptor.</param>
    public static ReadStatus OpenAbsolute(ReadOnlySpan<byte> path, out int fd)
    {
        fd = -1;
        if (!path.EndsWith((byte)0))
            return ReadStatus.Other;
        fixed (byte* name = path)
            return OpenName(Native.AT_FDCWD, name, OpenFlags, out fd);
    }

    /// <summary>Opens the directory that is used as /proc. The path may be longer than <see cref="MaxPathLength"/>.</summary>
    public static ReadStatus OpenRoot(string path, out int fd)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(path + '\0');
        fixed (byte* name = bytes)
            return OpenName(Native.AT_FDCWD, name, OpenFlags | Native.O_DIRECTORY, out fd);
    }

    /// <summary>
    /// Reads a file from its start through a kept descriptor: pread(2). If the buffer is full, the text may be cut. A short read counts as the
    /// end of the file: the per-process files have one record, which seq_file (fs/seq_file.c) returns whole. A second read would raise the cost of
    /// reading a <c>schedstat</c> to about 1.5 times.
    /// </summary>
    /// <returns><see cref="ReadStatus.Gone"/> after the thread has exited, even if its tid was reused.</returns>
    public static ReadStatus ReadAt(int fd, Span<byte> buffer, out int length) => Read(fd, buffer, 0, untilEof: false, out length);

    /// <summary>The same, from an offset.</summary>
    public static ReadStatus ReadAt(int fd, Span<byte> buffer, long offset, out int length) => Read(fd, buffer, offset, untilEof: false, out length);

    /// <summary>Opens, reads to the end or until the buffer is full (the text may be cut then), and closes.</summary>
    public static ReadStatus ReadOnce(int dirFd, ReadOnlySpan<byte> path, Span<byte> buffer, out int length)
    {
        length = 0;
        ReadStatus status = Open(dirFd, path, out int fd);
        if (status != ReadStatus.Ok)
            return status;
        status = Read(fd, buffer, 0, untilEof: true, out length);
        Close(fd);
        return status;
    }

    /// <summary>The target of a symbolic link: readlinkat(2). If the buffer is full, it may be cut.</summary>
    /// <returns><see cref="ReadStatus.Gone"/> also for <c>exe</c> of a kernel thread, which has none.</returns>
    public static ReadStatus ReadLink(int dirFd, ReadOnlySpan<byte> path, Span<byte> buffer, out int length)
    {
        length = 0;
        if (path.Length > MaxPathLength)
            return ReadStatus.Other;
        byte* name = stackalloc byte[MaxPathLength + 1];
        Terminate(path, name);
        fixed (byte* target = buffer)
        {
            nint result;
            do
                result = Native.readlinkat(dirFd, name, target, (nuint)buffer.Length);
            while (result < 0 && Native.Errno == Native.EINTR);
            if (result < 0)
                return StatusOf(Native.Errno);
            length = (int)result;
            return ReadStatus.Ok;
        }
    }

    /// <summary>
    /// Lists the pids or tids in a directory (<c>"."</c>: <paramref name="dirFd"/> itself), in its order; names that are not decimal numbers are
    /// skipped. <paramref name="ids"/> is cleared first, and empty after an error.
    /// </summary>
    [SkipLocalsInit] // the kernel fills the buffer; clearing 16 KiB would cost more than a short listing
    public static ReadStatus ListIds(int dirFd, ReadOnlySpan<byte> path, List<int> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        ids.Clear();
        ReadStatus status = OpenDirectory(dirFd, path, out int fd);
        if (status != ReadStatus.Ok)
            return status;

        const int BufferSize = 16 * 1024;
        // In longs, because struct linux_dirent64 is aligned to 8.
        long* buffer = stackalloc long[BufferSize / sizeof(long)];
        while (true)
        {
            nint filled = Native.getdents64(fd, buffer, BufferSize);
            if (filled > 0)
            {
                AddIds(new ReadOnlySpan<byte>(buffer, (int)filled), ids);
            }
            else if (filled == 0 || Native.Errno != Native.EINTR)
            {
                if (filled < 0)
                {
                    status = StatusOf(Native.Errno);
                    ids.Clear();
                }
                Close(fd);
                return status;
            }
        }
    }

    /// <summary>Closes a descriptor; -1 is none. Not repeated after EINTR: Linux has freed the number by then (close(2)).</summary>
    public static void Close(int fd)
    {
        if (fd >= 0)
            _ = Native.close(fd);
    }

    /// <summary>The status for an errno of open, read or kill.</summary>
    public static ReadStatus StatusOf(int errno) => errno switch
    {
        0 => ReadStatus.Ok,
        Native.ENOENT or Native.ESRCH or Native.ENOTDIR => ReadStatus.Gone,
        Native.EACCES or Native.EPERM => ReadStatus.Denied,
        Native.EMFILE or Native.ENFILE => ReadStatus.NoDescriptors,
        _ => ReadStatus.Other,
    };

    private static ReadStatus OpenAt(int dirFd, ReadOnlySpan<byte> path, int flags, out int fd)
    {
        fd = -1;
        if (path.Length > MaxPathLength)
            return ReadStatus.Other;
        byte* name = stackalloc byte[MaxPathLength + 1];
        Terminate(path, name);
        return OpenName(dirFd, name, flags, out fd);
    }

    private static ReadStatus OpenName(int dirFd, byte* name, int flags, out int fd)
    {
        do
            fd = Native.openat(dirFd, name, flags);
        while (fd < 0 && Native.Errno == Native.EINTR);
        return fd < 0 ? StatusOf(Native.Errno) : ReadStatus.Ok;
    }

    private static void Terminate(ReadOnlySpan<byte> path, byte* name)
    {
        path.CopyTo(new Span<byte>(name, MaxPathLength));
        name[path.Length] = 0;
    }

    private static ReadStatus Read(int fd, Span<byte> buffer, long offset, bool untilEof, out int length)
    {
        length = 0;
        fixed (byte* start = buffer)
        {
            while (length < buffer.Length)
            {
                int wanted = buffer.Length - length;
                nint got = Native.pread(fd, start + length, (nuint)wanted, offset + length);
                if (got < 0)
                {
                    int errno = Native.Errno;
                    if (errno == Native.EINTR)
                        continue;
                    length = 0;
                    return StatusOf(errno);
                }
                length += (int)got;
                if (got == 0 || (got < wanted && !untilEof))
                    break;
            }
        }
        return ReadStatus.Ok;
    }

    /// <summary>struct linux_dirent64 (getdents(2)): u64 inode, s64 offset, u16 record length, u8 type, name with its NUL.</summary>
    private static void AddIds(ReadOnlySpan<byte> entries, List<int> ids)
    {
        const int LengthAt = 16, NameAt = 19;
        while (entries.Length > NameAt)
        {
            int length = MemoryMarshal.Read<ushort>(entries[LengthAt..]);
            ReadOnlySpan<byte> name = entries[NameAt..length];
            name = name[..name.IndexOf((byte)0)];
            // No leading zero: the path built from the number would differ.
            if (!name.StartsWith((byte)'0') && Digits.TryReadInt(ref name, out int id) && name.IsEmpty)
                ids.Add(id);
            entries = entries[length..];
        }
    }
}
