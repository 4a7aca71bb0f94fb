using System.Runtime.InteropServices;
using System.Text;

namespace ThreadExporter.Linux;

/// <summary>What a name in a directory is, symbolic links not followed: statx(2), and its renaming, renameat2(2).</summary>
/// <param name="Status">Not <see cref="ReadStatus.Ok"/>: why nothing is known; the rest is 0 then.</param>
/// <param name="Mode">Type and permissions, as in <c>st_mode</c>.</param>
/// <param name="Owner">The user id.</param>
public readonly record struct DirectoryEntry(ReadStatus Status, int Mode, uint Owner)
{
    private const int TypeMask = 0xF000, RegularFile = 0x8000, Directory = 0x4000, SymbolicLink = 0xA000;

    public bool IsRegularFile => (Mode & TypeMask) == RegularFile;

    public bool IsDirectory => (Mode & TypeMask) == Directory;

    public bool IsSymbolicLink => (Mode & TypeMask) == SymbolicLink;

    /// <summary>What <paramref name="path"/> is now.</summary>
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
    /// Renames within a file system, and never copies: <see cref="File.Move(string, string)"/> does where renaming fails, for
    /// example when the file is a mount point of its own, and leaves both.
    /// </summary>
    /// <param name="from">The old name.</param>
    /// <param name="to">The new name.</param>
    /// <param name="replace">A file that has the new name is replaced; without it renaming fails when the name is taken.</param>
    /// <exception cref="IOException">With the text of the error number.</exception>
    public static unsafe void Rename(string from, string to, bool replace)
    {
        fixed (byte* old = Terminated(from), name = Terminated(to))
        {
            int result = Native.renameat2(Native.AT_FDCWD, old, Native.AT_FDCWD, name, replace ? 0 : Native.RENAME_NOREPLACE);
            // Network file systems do not know the flag. Then looking first must do.
            if (result != 0 && !replace && Native.Errno == Native.EINVAL && Read(to).Status == ReadStatus.Gone)
                result = Native.renameat2(Native.AT_FDCWD, old, Native.AT_FDCWD, name, 0);
            if (result != 0)
                throw new IOException(Marshal.GetPInvokeErrorMessage(Native.Errno));
        }
    }

    private static byte[] Terminated(string path) => Encoding.UTF8.GetBytes(path + '\0');
}
