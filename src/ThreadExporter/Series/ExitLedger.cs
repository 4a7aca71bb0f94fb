using ThreadExporter.Configuration;
using ThreadExporter.Matching;
using ThreadExporter.Model;

namespace ThreadExporter.Series;

/// <summary>
/// Gives the CPU time of exited threads, which would be transient, to the names of these threads. The records of the kernel are lower bounds; what
/// they leave over is divided by the number of exits (docs/decisions/0013).
/// </summary>
internal sealed class ExitLedger
{
    private readonly Dictionary<string, ExitSum> _byName = [];

    /// <summary>False: records may be missing in this collection, so that nothing is estimated.</summary>
    public bool IsComplete { get; set; }

    /// <summary>CPU time that was given to names by the number of their exits. Nanoseconds.</summary>
    public long Estimated { get; private set; }

    /// <summary>What has been booked of an owner's transient time.</summary>
    /// <param name="Named">Nanoseconds that went to series.</param>
    /// <param name="Folded">Nanoseconds of threads that the filter does not show.</param>
    public readonly record struct Booked(long Named, long Folded);

    /// <summary>
    /// Shows the series of the threads that have exited, before they are booked. To be called in each collection, once for each owner.
    /// </summary>
    /// <param name="owner">The owner.</param>
    /// <param name="hasRoom">False: the number of samples has reached its limit, so that new names share a series.</param>
    public static void ShowSeries(SeriesOwner owner, bool hasRoom)
    {
        if (owner.Exits is not { } exits)
            return;
        exits.Names.Show();
        if (owner.Filter.Threads.Detail != ThreadDetail.Tid)
            return;
        foreach ((TaskComm comm, _) in exits.Pending.Items)
        {
            if (ShownName(owner.Filter.Threads, comm, foldDigits: true) is { } name)
                exits.Names.Create(name, hasRoom);
        }
    }

    /// <summary>Books the pending records of an owner.</summary>
    /// <param name="owner">The owner.</param>
    /// <param name="remainder">CPU time of this interval that no live thread has used. Nanoseconds; no more than this is booked.</param>
    /// <param name="pass">The collection.</param>
    public Booked Book(SeriesOwner owner, long remainder, in CollectionPass pass)
    {
        if (owner.Exits is not { Pending.Count: > 0 } exits)
            return default;
        (TaskComm Name, ExitSum Threads, long Cpu)[] shares = exits.Pending.Divide(remainder, IsComplete, out long estimated);
        Estimated += estimated;
        exits.Pending.Clear();
        _byName.Clear();
        long folded = 0;
        foreach ((TaskComm comm, ExitSum threads, long cpu) in shares)
        {
            // What exceeds the remainder is left to the next collection, and only to that one: the clock may have been read before it was up to date.
            long left = Math.Min(threads.Counters.Cpu - cpu, threads.Counters.Cpu - threads.Carried);
            if (left > 0)
                exits.Pending.Add(comm, OnlyCpu(left), exits: 0, carried: left);
            ThreadCounters counters = threads.Counters;
            counters.Cpu = cpu;
            if (ShownName(owner.Filter.Threads, comm, foldDigits: owner.Filter.Threads.Detail == ThreadDetail.Tid) is not { } name)
            {
                folded += counters.Cpu;
                continue;
            }
            ThreadCounters total = _byName.TryGetValue(name, out ExitSum known) ? known.Counters : ThreadCounters.Zero;
            total.Add(counters);
            _byName[name] = new ExitSum(total, known.Exits + threads.Exits);
        }
        long named = 0;
        foreach ((string name, ExitSum threads) in _byName)
        {
            bool isAdded = owner.Filter.Threads.Detail == ThreadDetail.Name
                ? SeriesAssigner.AddExited(owner, name, threads.Counters, pass)
                : exits.Names.TryAdd(name, threads.Counters.Cpu, threads.Exits);
            // Otherwise the time stays transient.
            if (isAdded)
                named += threads.Counters.Cpu;
        }
        return new Booked(named, folded);
    }

    private static ThreadCounters OnlyCpu(long cpu)
    {
        ThreadCounters counters = ThreadCounters.Zero;
        counters.Cpu = cpu;
        return counters;
    }

    /// <summary>The name for labels; null when the filter does not show threads with this name.</summary>
    /// <param name="filter">The thread selection of the filter.</param>
    /// <param name="comm">The name by the record.</param>
    /// <param name="foldDigits">Each thread of a pool may have a number of its own, so digits are folded where live threads have other series anyway.</param>
    public static string? ShownName(ThreadSelection filter, TaskComm comm, bool foldDigits) =>
        comm == ExitSums.Other && filter.Detail != ThreadDetail.None ? ExitedNames.Other : filter.ShownName(comm.ToArray(), foldDigits);
}
