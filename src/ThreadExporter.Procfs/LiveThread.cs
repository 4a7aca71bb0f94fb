using ThreadExporter.Linux;

namespace ThreadExporter.Procfs;

/// <summary>
/// Reads of a process whose leading thread has ended while others live on. Its own files are those of the leader, which has no memory
/// map any more (no <c>exe</c>, an empty <c>cmdline</c>), is in the root cgroup (cgroup v1) or in the one where it ended (v2), and has
/// the users of its end. The files of a living thread have them as they are.
/// </summary>
public static class LiveThread
{
    private const int Attempts = 3;

    /// <summary>Whether this state in <c>stat</c> is one of a thread that has ended: zombie or dead.</summary>
    public static bool HasEnded(byte state) => state is (byte)'Z' or (byte)'X' or (byte)'x';

    /// <summary>A thread, other than the leader, that has not ended.</summary>
    /// <param name="directory">The open directory of the process.</param>
    /// <param name="pid">The process.</param>
    /// <param name="tid">The thread, or 0.</param>
    /// <returns><see cref="ReadStatus.Gone"/> when there is none.</returns>
    public static ReadStatus Find(int directory, int pid, out int tid)
    {
        tid = 0;
        List<int> tids = [];
        ReadStatus status = RawFile.ListIds(directory, "task"u8, tids);
        if (status != ReadStatus.Ok)
            return status;
        foreach (int other in tids)
        {
            if (other == pid)
                continue;
            status = ReadState(directory, other, out bool lives);
            if (status == ReadStatus.NoDescriptors)
                return status;
            if (lives)
            {
                tid = other;
                return ReadStatus.Ok;
            }
        }
        return ReadStatus.Gone;
    }

    /// <summary><see cref="RawFile.ReadOnce"/> of a file of such a thread.</summary>
    public static ReadStatus ReadOnce(int directory, int pid, ReadOnlySpan<byte> suffix, Span<byte> buffer, out int length) =>
        Read(directory, pid, suffix, buffer, isLink: false, out length);

    /// <summary><see cref="RawFile.ReadLink"/> of a link of such a thread.</summary>
    public static ReadStatus ReadLink(int directory, int pid, ReadOnlySpan<byte> suffix, Span<byte> buffer, out int length) =>
        Read(directory, pid, suffix, buffer, isLink: true, out length);

    private static ReadStatus Read(int directory, int pid, ReadOnlySpan<byte> suffix, Span<byte> buffer, bool isLink, out int length)
    {
        length = 0;
        Span<byte> path = stackalloc byte[ProcPath.BufferSize];
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            ReadStatus status = Find(directory, pid, out int tid);
            if (status != ReadStatus.Ok)
                return status;
            ReadOnlySpan<byte> file = ProcPath.Format(path, "task/"u8, tid, suffix);
            status = isLink ? RawFile.ReadLink(directory, file, buffer, out length) : RawFile.ReadOnce(directory, file, buffer, out length);
            // One that ended meanwhile may have given the values of an ended one.
            if (ReadState(directory, tid, out bool lives) == ReadStatus.NoDescriptors || lives)
                return status;
        }
        return ReadStatus.Gone;
    }

    private static ReadStatus ReadState(int directory, int tid, out bool lives)
    {
        Span<byte> path = stackalloc byte[ProcPath.BufferSize];
        Span<byte> buffer = stackalloc byte[2048];
        ReadStatus status = RawFile.ReadOnce(directory, ProcPath.Format(path, "task/"u8, tid, "/stat"u8), buffer, out int length);
        lives = status == ReadStatus.Ok && ProcStat.TryParse(buffer[..length], out ProcStat stat) && !HasEnded(stat.State);
        return status;
    }
}
