using System.Runtime.InteropServices;
using System.Text;

namespace ThreadExporter.Linux;

/// <summary>The type and owner of a directory entry, symbolic links not followed: statx(2); and renaming it: renameat2(2).</summary>
/// <param name="Status">If not <see cref="ReadStatus.Ok"/>, the reason; the other values are 0 then.</param>
/// <param name="Mode">Type and permissions, as in <c>st_mode</c>.</param>
/// <param name="Owner">The user id.</param>
public readonly record struct DirectoryEntry(ReadStatus Status, int Mode, uint Owner)
{
    private const int TypeMask = 0xF000, RegularFile = 0x8000, Directory = 0x4000, SymbolicLink = 0xA000;

    public bool IsRegularFile => (Mode & TypeMask) == RegularFile;

    public bool IsDirectory => (Mode & TypeMask) == Directory;

    public bool IsSymbolicLink => (Mode & TypeMask) == SymbolicLink;

    /// <summary>Reads the entry at <paramref name="path"/>.</summary>
    public static unsafe DirectoryEntry Read(string path)
    {
        Native.Statx file;
        fixed (byte* name = Terminated(path))
        {
            if (Native.statx(Native.AT_FDCWD, name, Native.AT_SYMLINK_NOFOLLOW, Native.STATX_BASIC_STATS, &file) != 0)
                return new DirectoryEntry(RawFile.StatusOf(Native.Errno), 0, 0);
        }
        return new DirectoryEntry(ReadStatus.Ok, file.Mode, file.Owner);
    }

    /// <summary>
    /// Renames within a file system and never copies. <see cref="File.Move(string, string)"/> copies when renaming fails, for example for a mount
    /// point, and leaves both files.
    /// </summary>
    /// <param name="from">The old name.</param>
    /// <param name="to">The new name.</param>
    /// <param name="replace">Replaces an existing file; without it renaming fails when the new name exists.</param>
    /// <exception cref="IOException">With the message of errno.</exception>
    public static unsafe void Rename(string from, string to, bool replace)
    {
        fixed (byte* old = Terminated(from), name = Terminated(to))
        {
            int result = Native.renameat2(Native.AT_FDCWD, old, Native.AT_FDCWD, name, replace ? 0 : Native.RENAME_NOREPLACE);
            // Network file systems do not support the flag: check first instead.
            if (result != 0 && !replace && Native.Errno == Native.EINVAL && Read(to).Status == ReadStatus.Gone)
                result = Native.renameat2(Native.AT_FDCWD, old, Native.AT_FDCWD, name, 0);
            if (result != 0)
                throw new IOException(Marshal.GetPInvokeErrorMessage(Native.Errno));
        }
    }

    private static byte[] Terminated(string path) => Encoding.UTF8.GetBytes(path + '\0');
}
