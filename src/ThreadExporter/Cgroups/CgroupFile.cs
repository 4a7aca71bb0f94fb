using System.Text;
using ThreadExporter.Linux;

namespace ThreadExporter.Cgroups;

/// <summary>
/// A file of a cgroup that every collection reads. A kept descriptor saves four fifths of the cost of a read, and proves that the cgroup is still
/// the same: a read fails once the cgroup was removed. Without one, the number of the inode does: the kernel does not use it again.
/// </summary>
internal sealed class CgroupFile(string path)
{
    private readonly byte[] _path = Encoding.UTF8.GetBytes(path + '\0');
    private int _descriptor = -1;
    private ulong _inode;

    public bool IsKept => _descriptor >= 0;

    /// <summary>Reads it.</summary>
    /// <param name="buffer">Receives the text.</param>
    /// <param name="keep">Whether a descriptor may stay open.</param>
    /// <param name="length">How much of the buffer was filled.</param>
    /// <param name="isAnother">The cgroup was removed since the last read, and another has its path.</param>
    public ReadStatus Read(Span<byte> buffer, bool keep, out int length, out bool isAnother)
    {
        isAnother = false;
        if (IsKept)
        {
            ReadStatus kept = RawFile.ReadAt(_descriptor, buffer, out length);
            if (kept != ReadStatus.Ok || !keep)
                Close();
            if (kept == ReadStatus.Ok)
                return kept;
        }
        length = 0;
        ReadStatus status = RawFile.OpenAbsolute(_path, out int descriptor);
        if (status != ReadStatus.Ok)
            return status;
        status = RawFile.ReadAt(descriptor, buffer, out length);
        if (status == ReadStatus.Ok)
        {
            ulong inode = FileIdentity.Read(descriptor).Inode;
            isAnother = _inode != 0 && inode != _inode;
            _inode = inode;
        }
        if (status == ReadStatus.Ok && keep)
            _descriptor = descriptor;
        else
            RawFile.Close(descriptor);
        return status;
    }

    public void Close()
    {
        RawFile.Close(_descriptor);
        _descriptor = -1;
    }
}
