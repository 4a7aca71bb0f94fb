using ThreadExporter.Linux;
using ThreadExporter.Model;

namespace ThreadExporter.Collection;

/// <summary>
/// Counts the descriptors kept on /proc and on the cgroup file system. A kept one costs 7.6 kB of kernel memory that no RSS shows, so
/// <c>max_descriptors</c> bounds them; beyond it threads and cgroups are read by path.
/// </summary>
internal sealed class DescriptorBudget(long limit)
{
    // Reserved for sockets, the log and files of the runtime, whatever the configuration is.
    private const int Reserve = 256;

    // Process directories may use half of the reserve: a process needs its directory's descriptor, a thread can be read by path.
    private const int DirectoryReserve = Reserve / 2;

    // Minimum headroom above what is currently open: the runtime and the clients may need more than the reserve.
    private const int Slack = 32;

    private int _directories;
    private int _threads;
    private int _maximum;
    private long _processLimit;
    private long _threadLimit = limit - Reserve;
    private long _directoryLimit = limit - DirectoryReserve;

    /// <summary>Descriptors that are open on files and directories of /proc, and on files of cgroups.</summary>
    public int Kept => _directories + _threads + Cgroups;

    /// <summary>Those on files of cgroups, as <c>Cgroups/CgroupTable</c> counts them.</summary>
    public int Cgroups { get; set; }

    /// <summary>How many may be kept on files of cgroups: at most a quarter of the maximum, because threads are read more often.</summary>
    public int RoomForCgroups => (int)Math.Clamp(_threadLimit - _directories - _threads, 0, _maximum / 4);

    /// <summary>
    /// True when a limit was lowered or other parts of this process have more descriptors open, so that threads must give theirs back.
    /// A limit that leaves no room at all closes none: no file could be opened by path then, and only open descriptors can be read.
    /// </summary>
    public bool IsOver => (_threads > 0 && _threads + Cgroups > _maximum) || (_threads > 0 && _threadLimit > 0 && Kept > _threadLimit);

    /// <summary>Sets the limits of a collection.</summary>
    /// <param name="maximum">From the active configuration.</param>
    /// <param name="processLimit">RLIMIT_NOFILE, which prlimit(1) may change at any time.</param>
    /// <param name="open">How many descriptors this process has open; 0: not known.</param>
    /// <returns>Whether the choice of the threads that keep a descriptor must be made again.</returns>
    public bool Set(int maximum, long processLimit, long open)
    {
        bool changed = (maximum, processLimit) != (_maximum, _processLimit);
        (_maximum, _processLimit) = (maximum, processLimit);
        long others = Math.Max(0, open - Kept);
        _threadLimit = Math.Min(limit - Reserve, processLimit - Math.Max(Reserve, others + 2 * Slack));
        _directoryLimit = Math.Min(limit - DirectoryReserve, processLimit - Math.Max(DirectoryReserve, others + Slack));
        return changed || IsOver;
    }

    /// <summary>Opens a file whose descriptor the thread keeps.</summary>
    /// <param name="thread">The thread; it has no descriptor yet.</param>
    /// <param name="directory">Descriptor of the directory that the path starts from.</param>
    /// <param name="path">The file.</param>
    /// <param name="status">Why it could not be opened; Ok also when there is no room.</param>
    /// <returns>False: there is no room, or the file cannot be opened; the thread is read by path.</returns>
    public bool TryKeep(WatchedThread thread, int directory, ReadOnlySpan<byte> path, out ReadStatus status)
    {
        status = ReadStatus.Ok;
        if (_threads + Cgroups >= _maximum || Kept >= _threadLimit)
            return false;
        status = RawFile.Open(directory, path, out int descriptor);
        if (status != ReadStatus.Ok)
            return false;
        thread.Descriptor = descriptor;
        _threads++;
        return true;
    }

    /// <summary>Closes the descriptor of a thread, if it has one.</summary>
    public void Close(WatchedThread thread)
    {
        if (thread.Descriptor < 0)
            return;
        RawFile.Close(thread.Descriptor);
        thread.Descriptor = -1;
        _threads--;
    }

    /// <summary>Counts the directory of one more process.</summary>
    /// <returns>False: there is no room for it.</returns>
    public bool TryKeepDirectory()
    {
        if (Kept >= _directoryLimit)
            return false;
        _directories++;
        return true;
    }

    /// <summary>Closes the descriptors of a process and its threads.</summary>
    public void Close(WatchedProcess process)
    {
        foreach (WatchedThread thread in process.Threads)
            Close(thread);
        RawFile.Close(process.Directory);
        _directories--;
    }
}
