using System.Text;
using ThreadExporter.Configuration;
using ThreadExporter.Matching;
using ThreadExporter.Model;

namespace ThreadExporter.Series;

/// <summary>
/// Assigns each thread to a series of its owner, by its filter and its name. A series that the thread or the process had before is used
/// again, so that its counters continue from the value that was last shown.
/// </summary>
internal sealed class SeriesAssigner
{
    /// <summary>
    /// How long a name series without members is kept with its counters, because the threads of a pool may start again. Nanoseconds.
    /// </summary>
    private const long KeepEmptyFor = 600_000_000_000;

    /// <summary>Name series without members that are kept. A program may give each thread a different name; the oldest series are dropped.</summary>
    private const int MaxEmptyNameSeries = 256;

    /// <summary>Names that a group has at most; threads with other names are folded. A process may give each thread a different name.</summary>
    private const int MaxGroupNames = 256;

    /// <summary>Names of exited threads that no live thread has had; threads with other names share a series.</summary>
    private const int MaxExitedNames = 64;

    /// <summary>Series that are kept for a thread's previous names. A thread with more names gets series that start at 0.</summary>
    private const int MaxPrevious = 8;

    private readonly List<(string Name, ThreadSeries Series)> _empty = [];

    /// <summary>Assigns the threads that are new, renamed, or under another filter, and lists the series as candidates of the owner.</summary>
    /// <returns>False when nothing has changed since the last call.</returns>
    public bool Assign(SeriesOwner owner, in CollectionPass pass)
    {
        bool changed = false;
        SeriesSelection selection = owner.Selection;
        // Names have become free that threads had to do without.
        bool retry = selection is { LacksNames: true, NameSeries.Count: < MaxGroupNames };
        selection.LacksNames &= !retry;
        foreach (WatchedProcess process in owner.Processes())
        {
            ProcessAssignment assigned = process.Assignment;
            if (!retry && assigned.Owner == owner && assigned.ThreadsVersion == process.Reading.ThreadsVersion && assigned.Filter == process.Filter.Threads)
                continue;
            AssignThreads(process, owner, retry, pass);
            changed = true;
        }
        if (!changed && selection.MembersVersion == owner.MembersVersion)
            return false;
        selection.MembersVersion = owner.MembersVersion;
        selection.Candidates.Clear();
        foreach (WatchedProcess process in owner.Processes())
        {
            foreach (WatchedThread thread in process.Threads)
            {
                if (thread.Series is { IsNameSeries: false } series)
                    selection.Candidates.Add(series);
            }
        }
        if (selection.NameSeries is not null)
            CountMembers(owner, pass);
        return true;
    }

    private static void AssignThreads(WatchedProcess process, SeriesOwner owner, bool retry, in CollectionPass pass)
    {
        ProcessAssignment assigned = process.Assignment;
        ThreadSelection filter = process.Filter.Threads;
        bool all = assigned.Owner != owner || assigned.Filter != filter;
        if (assigned.Owner == process && owner != process)
            HideAll(process.Selection);
        (assigned.Owner, assigned.Filter, assigned.ThreadsVersion) = (owner, filter, process.Reading.ThreadsVersion);
        foreach (WatchedThread thread in process.Threads)
        {
            if (!all && ReferenceEquals(thread.Assignment.Name, thread.Reading.Name) && !(retry && thread.Series is null))
                continue;
            Move(thread, SeriesFor(owner, thread, filter), pass);
            thread.Assignment.Name = thread.Reading.Name;
        }
    }

    /// <summary>Hides all series of an owner that is hidden from now on; they keep their counters.</summary>
    public static void HideAll(SeriesSelection selection)
    {
        foreach (ThreadSeries series in selection.Shown)
            series.Hide();
        selection.Shown.Clear();
        selection.Candidates.Clear();
        (selection.Chosen, selection.MembersVersion) = (0, -1);
    }

    private static ThreadSeries? SeriesFor(SeriesOwner owner, WatchedThread thread, ThreadSelection filter)
    {
        if (filter.ShownName(thread.Reading.Name) is not { } name)
            return null;
        return filter.Detail == ThreadDetail.Name ? GetNameSeries(owner, name) : GetOwnSeries(thread, Encoding.UTF8.GetBytes(name));
    }

    private static ThreadSeries? GetNameSeries(SeriesOwner owner, string name)
    {
        SeriesSelection selection = owner.Selection;
        selection.NameSeries ??= new SortedDictionary<string, ThreadSeries>(StringComparer.Ordinal);
        if (selection.NameSeries.TryGetValue(name, out ThreadSeries? series))
            return series;
        if (owner is ProcessGroup && selection.NameSeries.Count >= MaxGroupNames)
        {
            selection.LacksNames = true;
            return null;
        }
        return AddNameSeries(selection.NameSeries, name);
    }

    private static ThreadSeries AddNameSeries(SortedDictionary<string, ThreadSeries> all, string name)
    {
        ThreadSeries series = new(Encoding.UTF8.GetBytes(name), tid: 0);
        all.Add(name, series);
        return series;
    }

    /// <summary>The series for exited threads of a name. Each thread may have a name of its own, so most names without a live thread share one.</summary>
    private static ThreadSeries GetExitedSeries(SeriesSelection selection, string name)
    {
        SortedDictionary<string, ThreadSeries> all = selection.NameSeries ??= new SortedDictionary<string, ThreadSeries>(StringComparer.Ordinal);
        if (all.TryGetValue(name, out ThreadSeries? series))
            return series;
        if (all.Values.Count(static s => !s.HadMembers) >= MaxExitedNames && all.TryGetValue(name = ExitedNames.Other, out series))
            return series;
        return AddNameSeries(all, name);
    }

    /// <summary>Adds the counters of threads that have exited to their name series, which is created if it does not exist.</summary>
    /// <returns>False when the series is not shown in this collection and the one before; then nothing is added.</returns>
    public static bool AddExited(SeriesOwner owner, string name, in ThreadCounters counters, in CollectionPass pass)
    {
        ThreadSeries series = GetExitedSeries(owner.Selection, name);
        if (series.Members == 0)
            series.EmptySince = pass.StartedAt;
        series.AddLoad(counters.Cpu, pass.StartedAt);
        if (series.IsShownInBoth(pass.Number))
        {
            series.AddExited(counters);
            return true;
        }
        // The next collection lists the candidates again, with the new series.
        if (series.FirstShownInPass == 0)
            owner.Selection.MembersVersion = -1;
        return false;
    }

    private static ThreadSeries GetOwnSeries(WatchedThread thread, byte[] name)
    {
        if (thread.Series is { IsNameSeries: false } current && current.Name.AsSpan().SequenceEqual(name))
            return current;
        List<ThreadSeries>? previous = thread.Assignment.Previous;
        if (previous?.Find(s => s.Name.AsSpan().SequenceEqual(name)) is { } known)
        {
            previous.Remove(known);
            return known;
        }
        ThreadSeries series = new(name, thread.Tid);
        series.Shown = (thread.IsBooked ? thread.Booking.Counters : thread.Counters).Known();
        // A series with this name may have been dropped.
        if (previous is { Count: MaxPrevious })
            series.StartAtZero();
        return series;
    }

    private static void Move(WatchedThread thread, ThreadSeries? to, in CollectionPass pass)
    {
        ref ThreadAssignment assignment = ref thread.Assignment;
        ThreadSeries? from = assignment.Series;
        if (ReferenceEquals(from, to))
            return;
        assignment.Series = to;
        assignment.ChangedInPass = pass.Number;
        if (from is not { IsNameSeries: false })
            return;
        from.Hide();
        assignment.Previous ??= [];
        if (assignment.Previous.Count == MaxPrevious)
            assignment.Previous.RemoveAt(0);
        assignment.Previous.Add(from);
    }

    private void CountMembers(SeriesOwner owner, in CollectionPass pass)
    {
        SortedDictionary<string, ThreadSeries> nameSeries = owner.Selection.NameSeries!;
        foreach (ThreadSeries series in nameSeries.Values)
            series.Members = 0;
        foreach (WatchedProcess process in owner.Processes())
        {
            foreach (WatchedThread thread in process.Threads)
            {
                if (thread.Series is { IsNameSeries: true } series)
                    (series.Members, series.HadMembers) = (series.Members + 1, true);
            }
        }
        _empty.Clear();
        foreach ((string name, ThreadSeries series) in nameSeries)
        {
            if (series.Members > 0)
                series.EmptySince = 0;
            else if (series.EmptySince == 0)
                series.EmptySince = pass.StartedAt;
            if (series.Members == 0)
                _empty.Add((name, series));
        }
        _empty.Sort(static (a, b) => b.Series.EmptySince.CompareTo(a.Series.EmptySince));
        for (int i = 0; i < _empty.Count; i++)
        {
            if (i >= MaxEmptyNameSeries || pass.StartedAt - _empty[i].Series.EmptySince >= KeepEmptyFor)
            {
                _empty[i].Series.Hide();
                nameSeries.Remove(_empty[i].Name);
            }
        }
        if (owner.Filter.Threads.Detail == ThreadDetail.Name)
            owner.Selection.Candidates.AddRange(nameSeries.Values);
    }
}
