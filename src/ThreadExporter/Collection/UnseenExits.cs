using ThreadExporter.Model;
using ThreadExporter.Netlink;

namespace ThreadExporter.Collection;

/// <summary>The exit records of processes that no collection has read, by process, until the record of its last thread comes. Bounded.</summary>
internal sealed class UnseenExits
{
    private const int MaxProcesses = 4096;
    private const int MaxAncestors = 16;

    private readonly Dictionary<int, UnseenProcess> _processes = [];
    // Of the processes with a record in the same drain.
    private readonly Dictionary<int, int> _parents = [];

    /// <summary>Takes the parents of the processes in a drain. A process that a filter selects through its parent may have lost it in the same drain.</summary>
    public void Begin(ReadOnlySpan<ExitRecord> records)
    {
        _parents.Clear();
        // The first one: what exits after the parent has another parent.
        foreach (ref readonly ExitRecord record in records)
            _parents.TryAdd(record.Tgid, record.Ppid);
    }

    /// <summary>Adds the record of a thread.</summary>
    /// <param name="record">The record.</param>
    /// <param name="counters">Its counters.</param>
    /// <param name="isLost">There was no room for it.</param>
    /// <returns>The process, when this was its last thread; it is not kept any more.</returns>
    public UnseenProcess? Add(in ExitRecord record, in ThreadCounters counters, out bool isLost)
    {
        isLost = false;
        if (!_processes.TryGetValue(record.Tgid, out UnseenProcess? process))
        {
            process = new UnseenProcess();
            isLost = !record.IsLastThread && _processes.Count >= MaxProcesses;
            if (isLost)
                return null;
            if (!record.IsLastThread)
                _processes.Add(record.Tgid, process);
        }
        TaskComm name = new(record.Comm);
        process.Threads.Add(name, counters, exits: 1);
        // The main thread has the name of the process. After an exec by another thread there is a second one with its tid.
        if (record.Tid == record.Tgid || process.Name is null)
            (process.Name, process.Uid, process.ParentPid) = (name.ToArray(), record.Uid, record.Ppid);
        if (!record.IsLastThread)
            return null;
        _processes.Remove(record.Tgid);
        return process;
    }

    /// <summary>The parent, or the nearest ancestor that is watched, as far as its descendants have a record in the same drain.</summary>
    /// <param name="pid">The parent.</param>
    /// <param name="watched">The watched processes by pid.</param>
    public (int Pid, WatchedProcess? Process) WatchedAncestor(int pid, Dictionary<int, WatchedProcess> watched)
    {
        WatchedProcess? process;
        // Reused pids could close a circle.
        for (int i = 0; !watched.TryGetValue(pid, out process) && i < MaxAncestors && _parents.TryGetValue(pid, out int next); i++)
            pid = next;
        return (pid, process);
    }

    /// <summary>Moves the exited threads of a process that a collection has now read.</summary>
    public void MoveThreads(int pid, ExitSums to)
    {
        if (_processes.Remove(pid, out UnseenProcess? process))
            process.Threads.MoveTo(to);
    }

    /// <summary>Forgets the processes whose last thread has not exited: a collection finds them.</summary>
    public void Clear() => _processes.Clear();
}

/// <summary>A process that no collection has read, by its exit records.</summary>
internal sealed class UnseenProcess
{
    /// <summary>Its exited threads by name.</summary>
    public ExitSums Threads { get; } = new();

    /// <summary>Its name, in the kernel's bytes; that of another thread while the main thread has no record.</summary>
    public byte[]? Name { get; set; }

    /// <summary>Its real user.</summary>
    public uint Uid { get; set; }

    /// <summary>Its parent when the thread exited.</summary>
    public int ParentPid { get; set; }
}
