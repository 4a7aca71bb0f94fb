using ThreadExporter.Linux;

namespace ThreadExporter.Procfs;

/// <summary>
/// Reads files of a process whose main thread has exited while others are running. The process's own files are those of the main thread, which
/// has no memory map any more (no <c>exe</c>, an empty <c>cmdline</c>), is in the root cgroup (cgroup v1) or in its last one (v2), and has the
/// uids from when it exited. The files of a running thread have the current values.
/// </summary>
public static class LiveThread
{
    private const int Attempts = 3;

    /// <summary>Finds a running thread other than the main thread.</summary>
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
            status = ReadState(directory, other, out bool isRunning);
            if (status == ReadStatus.NoDescriptors)
                return status;
            if (isRunning)
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
            // If the thread has exited meanwhile, the values may be those of an exited thread.
            if (ReadState(directory, tid, out bool isRunning) == ReadStatus.NoDescriptors || isRunning)
                return status;
        }
        return ReadStatus.Gone;
    }

    private static ReadStatus ReadState(int directory, int tid, out bool isRunning)
    {
        Span<byte> path = stackalloc byte[ProcPath.BufferSize];
        Span<byte> buffer = stackalloc byte[2048];
        ReadStatus status = RawFile.ReadOnce(directory, ProcPath.Format(path, "task/"u8, tid, "/stat"u8), buffer, out int length);
        isRunning = status == ReadStatus.Ok && ProcStat.TryParse(buffer[..length], out ProcStat stat) && !stat.HasEnded;
        return status;
    }
}
