using ThreadExporter.Procfs;

namespace ThreadExporter.Collection;

/// <summary>
/// Counts the descriptors kept on /proc. A kept one costs 5.4 kB of kernel memory that no RSS shows, so
/// <c>max_descriptors</c> bounds them; beyond it threads are read by path.
/// </summary>
internal sealed class DescriptorBudget(long limit)
{
    // Left to sockets, log and runtime files whatever the configuration says.
    private const int Reserve = 256;

    // Half of it is open to the directories of processes: without one a process cannot be watched, without its own a thread can.
    private const int DirectoryReserve = Reserve / 2;

    private int _directories;
    private int _threads;

    /// <summary>Set at each collection from the configuration in force.</summary>
    public int Maximum { get; set; }

    /// <summary>RLIMIT_NOFILE, which somebody may change while we run (prlimit(1)).</summary>
    public long ProcessLimit { get; set; } = limit;

    public int Kept => _directories + _threads;

    /// <summary>
    /// After <see cref="Maximum"/> or <see cref="ProcessLimit"/> was lowered. Under a limit that leaves nothing, what is open is all that
    /// can be read, and stays.
    /// </summary>
    public bool IsOver => _threads > Maximum || (ProcessLimit > Reserve && Kept > ProcessLimit - Reserve);

    /// <summary>Opens a file to be kept by the thread. False: over the budget or out of descriptors; read by path.</summary>
    public bool TryKeep(WatchedThread thread, int directory, ReadOnlySpan<byte> path, out ReadStatus status)
    {
        status = ReadStatus.Ok;
        if (_threads >= Maximum || Kept >= ProcessLimit - Reserve)
            return false;
        status = ProcFile.Open(directory, path, out int descriptor);
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
        ProcFile.Close(thread.Descriptor);
        thread.Descriptor = -1;
        _threads--;
    }

    /// <summary>Counts the directory of one more process. False: there is no room for it.</summary>
    public bool TryKeepDirectory()
    {
        if (Kept >= ProcessLimit - DirectoryReserve)
            return false;
        _directories++;
        return true;
    }

    public void DirectoryClosed() => _directories--;
}
