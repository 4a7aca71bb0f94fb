using System.Text;
using ThreadExporter.Configuration;
using ThreadExporter.Matching;
using ThreadExporter.Model;

namespace ThreadExporter.Series;

/// <summary>
/// Assigns each thread of a process to a series, by its filter and its name. A series that the thread or the process had before is used
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

    /// <summary>Series that are kept for a thread's previous names. A thread with more names gets series that start at 0.</summary>
    private const int MaxPrevious = 8;

    private readonly List<(string Name, ThreadSeries Series)> _empty = [];

    /// <summary>Assigns the threads that are new, renamed, or under another filter, and lists the series as candidates of the process.</summary>
    public void Assign(WatchedProcess process, in CollectionPass pass)
    {
        ProcessSelection selection = process.Selection;
        ThreadSelection filter = process.Filter.Threads;
        bool filterChanged = !ReferenceEquals(filter, selection.Filter);
        (selection.Filter, selection.ThreadsVersion) = (filter, process.Reading.ThreadsVersion);
        selection.Candidates.Clear();
        foreach (WatchedThread thread in process.Threads)
        {
            if (filterChanged || !ReferenceEquals(thread.Assignment.Name, thread.Reading.Name))
            {
                Move(thread, SeriesFor(selection, thread, filter), pass);
                thread.Assignment.Name = thread.Reading.Name;
            }
            if (thread.Series is { IsNameSeries: false } series)
                selection.Candidates.Add(series);
        }
        if (selection.NameSeries is not null)
            CountMembers(process, filter, pass);
    }

    private static ThreadSeries? SeriesFor(ProcessSelection selection, WatchedThread thread, ThreadSelection filter)
    {
        if (filter.ShownName(thread.Reading.Name) is not { } name)
            return null;
        return filter.Detail == ThreadDetail.Name ? GetNameSeries(selection, name) : GetOwnSeries(thread, Encoding.UTF8.GetBytes(name));
    }

    private static ThreadSeries GetNameSeries(ProcessSelection selection, string name)
    {
        selection.NameSeries ??= new SortedDictionary<string, ThreadSeries>(StringComparer.Ordinal);
        if (!selection.NameSeries.TryGetValue(name, out ThreadSeries? series))
            selection.NameSeries.Add(name, series = new ThreadSeries(Encoding.UTF8.GetBytes(name), tid: 0));
        return series;
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

    private void CountMembers(WatchedProcess process, ThreadSelection filter, in CollectionPass pass)
    {
        SortedDictionary<string, ThreadSeries> nameSeries = process.Selection.NameSeries!;
        foreach (ThreadSeries series in nameSeries.Values)
            series.Members = 0;
        foreach (WatchedThread thread in process.Threads)
        {
            if (thread.Series is { IsNameSeries: true } series)
                series.Members++;
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
        if (filter.Detail == ThreadDetail.Name)
            process.Selection.Candidates.AddRange(nameSeries.Values);
    }
}
