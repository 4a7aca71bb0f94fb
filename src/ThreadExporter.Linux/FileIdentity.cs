using System.Text;

namespace ThreadExporter.Linux;

/// <summary>
/// Identity and version of the file at a path, symbolic links followed: statx(2). Equal as long as the file was not changed, replaced or removed:
/// each of these, and a change of mode or owner, changes the ctime or the inode.
/// </summary>
/// <param name="Status">If not <see cref="ReadStatus.Ok"/>, the reason; the other values are 0 then.</param>
/// <param name="Device">The file system.</param>
/// <param name="Inode">The number of the file in it.</param>
/// <param name="ChangedAt">
/// The change time (ctime) in nanoseconds since 1970. Unlike the modification time, programs cannot set it back, as <c>cp -p</c> and archive
/// tools do.
/// </param>
/// <param name="Size">Bytes.</param>
/// <param name="Mode">Type and permissions, as in <c>st_mode</c>.</param>
public readonly record struct FileIdentity(ReadStatus Status, ulong Device, ulong Inode, long ChangedAt, ulong Size, int Mode)
{
    private const int TypeMask = 0xF000, RegularFile = 0x8000, Directory = 0x4000, SymbolicLink = 0xA000;

    /// <summary>The modification time (mtime) in nanoseconds since 1970: when the content was last written, unless a program has set it.</summary>
    public long ModifiedAt { get; private init; }

    public bool IsRegularFile => (Mode & TypeMask) == RegularFile;

    public bool IsDirectory => (Mode & TypeMask) == Directory;

    /// <summary>Only of a result of <see cref="ReadLink"/>.</summary>
    public bool IsSymbolicLink => (Mode & TypeMask) == SymbolicLink;

    /// <summary>Reads it for a path. Never waits for a FIFO and needs no permission on the file itself.</summary>
    public static FileIdentity Read(string path) => Read(Native.AT_FDCWD, path, 0);

    /// <summary>Reads it for a path. If its last component is a symbolic link, for that link.</summary>
    public static FileIdentity ReadLink(string path) => Read(Native.AT_FDCWD, path, Native.AT_SYMLINK_NOFOLLOW);

    /// <summary>Reads it for an open descriptor.</summary>
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
