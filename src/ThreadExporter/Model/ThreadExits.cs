using System.Text;

namespace ThreadExporter.Model;

/// <summary>What exited threads of one name have used.</summary>
/// <param name="Counters">The sums of their counters.</param>
/// <param name="Exits">How many have exited.</param>
/// <param name="Carried">The part of the CPU time that an earlier collection has left over. Nanoseconds.</param>
internal readonly record struct ExitSum(ThreadCounters Counters, long Exits, long Carried = 0);

/// <summary>The record of a thread that may still be listed.</summary>
/// <param name="Name">Its name when it exited.</param>
/// <param name="Counters">Its counters.</param>
/// <param name="HasWaited">A collection has found the tid still listed after the record came.</param>
internal readonly record struct KnownExit(TaskComm Name, ThreadCounters Counters, bool HasWaited);

/// <summary>
/// The exit records of a process that cannot be booked yet, and the threads that they may belong to. Written by <c>Collection/ExitCollector</c>;
/// <c>Collection/ProcessReader</c> adds the threads that have exited.
/// </summary>
internal sealed class ThreadExits
{
    /// <summary>By tid: records of threads that the last collection knew, or of the main thread, which may be a zombie and still be listed.</summary>
    public Dictionary<int, KnownExit> Known { get; } = [];

    /// <summary>By tid: threads that have left the listing, with the collection that found it (<see cref="CollectionPass.Number"/>).</summary>
    public Dictionary<int, (WatchedThread Thread, long Pass)> Departed { get; } = [];

    /// <summary>Threads that no collection has seen, by name.</summary>
    public ExitSums Unseen { get; } = new();
}

/// <summary>Sums over exited threads by name, bounded.</summary>
internal sealed class ExitSums
{
    /// <summary>The name for all others once there are too many.</summary>
    public static readonly TaskComm Other = new(Encoding.UTF8.GetBytes(ExitedNames.Other));

    private const int MaxNames = 1024;

    // The run time of a thread is brought up to date at the ticks of its CPU, at most 10 ms apart (CONFIG_HZ=100), and not at its exit.
    private const long MostMissing = 10_000_000;

    private readonly Dictionary<TaskComm, ExitSum> _sums = [];

    public int Count => _sums.Count;

    public IEnumerable<KeyValuePair<TaskComm, ExitSum>> Items => _sums;

    public void Add(TaskComm name, in ThreadCounters counters, long exits, long carried = 0)
    {
        if (_sums.Count >= MaxNames && !_sums.ContainsKey(name))
            name = Other;
        ExitSum sum = _sums.TryGetValue(name, out ExitSum known) ? known : new ExitSum(ThreadCounters.Zero, 0);
        ThreadCounters total = sum.Counters;
        total.Add(counters);
        _sums[name] = new ExitSum(total, sum.Exits + exits, sum.Carried + carried);
    }

    public void MoveTo(ExitSums other)
    {
        CopyTo(other);
        _sums.Clear();
    }

    public void CopyTo(ExitSums other)
    {
        foreach ((TaskComm name, ExitSum sum) in _sums)
            other.Add(name, sum.Counters, sum.Exits, sum.Carried);
    }

    /// <summary>
    /// Divides time that no live thread has used among the names: what the records say, scaled down when that is more than there is; what they leave
    /// over, by the number of exits, but no more than a record can lack (docs/decisions/0013).
    /// </summary>
    /// <param name="available">Nanoseconds; negative counts as 0.</param>
    /// <param name="estimates">Whether what the records leave over is divided too.</param>
    /// <param name="estimated">Nanoseconds that were left over and divided.</param>
    /// <returns>Each name with its sums and with its share in nanoseconds.</returns>
    public (TaskComm Name, ExitSum Threads, long Cpu)[] Divide(long available, bool estimates, out long estimated)
    {
        available = Math.Max(0, available);
        (long sum, long count) = (0, 0);
        foreach (ExitSum threads in _sums.Values)
            (sum, count) = (sum + threads.Counters.Cpu, count + threads.Exits);
        estimated = estimates ? Math.Clamp(available - sum, 0, count * MostMissing) : 0;
        (TaskComm, ExitSum, long)[] shares = new (TaskComm, ExitSum, long)[_sums.Count];
        int i = 0;
        foreach ((TaskComm name, ExitSum threads) in _sums)
        {
            long cpu = sum <= available ? threads.Counters.Cpu : (long)((Int128)threads.Counters.Cpu * available / sum);
            shares[i++] = (name, threads, cpu + (count == 0 ? 0 : (long)((Int128)estimated * threads.Exits / count)));
        }
        return shares;
    }

    public void Clear() => _sums.Clear();
}
