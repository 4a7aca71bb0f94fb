using System.Text;

namespace ThreadExporter.Linux;

/// <summary>
/// Which file stands at a path, symbolic links followed, and in which version: statx(2). Equal as long as nothing was
/// changed, replaced or removed; every such act, and a change of mode or owner, moves the change time or the inode.
/// </summary>
/// <param name="Status">Not <see cref="ReadStatus.Ok"/>: why there is none; the rest is 0 then.</param>
/// <param name="Device">The file system.</param>
/// <param name="Inode">The file's number on it.</param>
/// <param name="ChangedAt">
/// Its change time (ctime) in nanoseconds since 1970. Unlike the time of modification no program can set it back, as
/// <c>cp -p</c> and unpackers do.
/// </param>
/// <param name="Size">Bytes.</param>
/// <param name="Mode">Type and permissions, as in <c>st_mode</c>.</param>
public readonly record struct FileIdentity(ReadStatus Status, ulong Device, ulong Inode, long ChangedAt, ulong Size, int Mode)
{
    private const int TypeMask = 0xF000, RegularFile = 0x8000, Directory = 0x4000;

    /// <summary>When its content was last written (mtime), in nanoseconds since 1970, as far as no program has set it.</summary>
    public long ModifiedAt { get; private init; }

    public bool IsRegularFile => (Mode & TypeMask) == RegularFile;

    public bool IsDirectory => (Mode & TypeMask) == Directory;

    /// <summary>The file that is at <paramref name="path"/> now. Never waits for a FIFO and needs no permission on the file itself.</summary>
    public static FileIdentity Read(string path) => Read(Native.AT_FDCWD, path, 0);

    /// <summary>The file behind an open descriptor.</summary>
    public static FileIdentity Read(int descriptor) => Read(descriptor, "", Native.AT_EMPTY_PATH);

    private static unsafe FileIdentity Read(int directory, string path, int flags)
    {
        Native.Statx file;
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            if (Native.statx(directory, name, flags, Native.STATX_BASIC_STATS, &file) != 0)
                return new FileIdentity(RawFile.StatusOf(Native.Errno), 0, 0, 0, 0, 0);
        }
        return new FileIdentity(
            ReadStatus.Ok,
            ((ulong)file.DeviceMajor << 32) | file.DeviceMinor,
            file.Inode,
            (file.ChangedSeconds * 1_000_000_000) + file.ChangedNanoseconds,
            file.Size,
            file.Mode)
        {
            ModifiedAt = (file.ModifiedSeconds * 1_000_000_000) + file.ModifiedNanoseconds,
        };
    }
}
