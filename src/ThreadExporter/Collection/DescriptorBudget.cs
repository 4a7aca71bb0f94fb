using ThreadExporter.Linux;
using ThreadExporter.Model;

namespace ThreadExporter.Collection;

/// <summary>
/// Counts the descriptors kept on /proc. A kept one costs 7.6 kB of kernel memory that no RSS shows, so
/// <c>max_descriptors</c> bounds them; beyond it threads are read by path.
/// </summary>
internal sealed class DescriptorBudget(long limit)
{
    // Left to sockets, log and runtime files whatever the configuration says.
    private const int Reserve = 256;

    // Half of it is open to the directories of processes: without one a process cannot be watched, without its own a thread can.
    private const int DirectoryReserve = Reserve / 2;

    // Where the runtime and the clients have more open than that (the runtime holds each library twice), what is free beside it.
    private const int Slack = 32;

    private int _directories;
    private int _threads;
    private int _maximum;
    private long _processLimit;
    private long _mostWithThreads = limit - Reserve;
    private long _mostWithDirectories = limit - DirectoryReserve;

    public int Kept => _directories + _threads;

    /// <summary>
    /// After a limit was lowered, or others need more. Under a limit that leaves nothing, what is open is all that can be
    /// read, and stays.
    /// </summary>
    public bool IsOver => _threads > _maximum || (_threads > 0 && _mostWithThreads > 0 && Kept > _mostWithThreads);

    /// <summary>Sets the bounds of a collection.</summary>
    /// <param name="maximum">From the configuration in force.</param>
    /// <param name="processLimit">RLIMIT_NOFILE, which somebody may change while we run (prlimit(1)).</param>
    /// <param name="open">How many descriptors this process has open; 0: not known.</param>
    /// <returns>Which threads keep a descriptor is to be settled anew.</returns>
    public bool Set(int maximum, long processLimit, long open)
    {
        bool changed = (maximum, processLimit) != (_maximum, _processLimit);
        (_maximum, _processLimit) = (maximum, processLimit);
        long others = Math.Max(0, open - Kept);
        _mostWithThreads = Math.Min(limit - Reserve, processLimit - Math.Max(Reserve, others + 2 * Slack));
        _mostWithDirectories = Math.Min(limit - DirectoryReserve, processLimit - Math.Max(DirectoryReserve, others + Slack));
        return changed || IsOver;
    }

    /// <summary>Opens a file to be kept by the thread. False: over the budget or out of descriptors; read by path.</summary>
    public bool TryKeep(WatchedThread thread, int directory, ReadOnlySpan<byte> path, out ReadStatus status)
    {
        status = ReadStatus.Ok;
        if (_threads >= _maximum || Kept >= _mostWithThreads)
            return false;
        status = RawFile.Open(directory, path, out int descriptor);
        if (status != ReadStatus.Ok)
            return false;
        thread.Descriptor = descriptor;
        _threads++;
        return true;
    }

    public void Close(WatchedThread thread)
    {
        if (thread.Descriptor < 0)
            return;
        RawFile.Close(thread.Descriptor);
        thread.Descriptor = -1;
        _threads--;
    }

    /// <summary>Counts the directory of one more process. False: there is no room for it.</summary>
    public bool TryKeepDirectory()
    {
        if (Kept >= _mostWithDirectories)
            return false;
        _directories++;
        return true;
    }

    public void DirectoryClosed() => _directories--;
}
