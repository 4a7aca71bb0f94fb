using ThreadExporter.Procfs;

namespace ThreadExporter.Collection;

/// <summary>
/// Counts the descriptors kept on /proc. A kept one costs 5.4 kB of kernel memory that no RSS shows, so
/// <c>max_descriptors</c> bounds them; beyond it threads are read by path.
/// </summary>
internal sealed class DescriptorBudget(long processLimit)
{
    // Left to sockets, log and runtime files whatever the configuration says.
    private const int Reserve = 256;

    private int _directories;
    private int _threads;

    /// <summary>Set at each collection from the configuration in force.</summary>
    public int Maximum { get; set; }

    public int Kept => _directories + _threads;

    /// <summary>After a reload that lowered <see cref="Maximum"/>.</summary>
    public bool IsOver => _threads > Maximum;

    /// <summary>Opens a file to be kept by the thread. False: over the budget or out of descriptors; read by path.</summary>
    public bool TryKeep(WatchedThread thread, int directory, ReadOnlySpan<byte> path, out ReadStatus status)
    {
        status = ReadStatus.Ok;
        if (_threads >= Maximum || Kept >= processLimit - Reserve)
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

    public void DirectoryOpened() => _directories++;

    public void DirectoryClosed() => _directories--;
}
