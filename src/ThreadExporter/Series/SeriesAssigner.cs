using System.Text;
using ThreadExporter.Configuration;
using ThreadExporter.Matching;
using ThreadExporter.Model;

namespace ThreadExporter.Series;

/// <summary>
/// Puts each thread of a process into the series that its rule and its name ask for. A series that a thread or a
/// process had before is taken up again, so that its counters go on where they were last shown.
/// </summary>
internal sealed class SeriesAssigner
{
    /// <summary>A group without members stays for so long, with its counters: pools whose threads come and go.</summary>
    private const long KeepEmptyFor = 600_000_000_000;

    /// <summary>Beyond so many groups without members the oldest go: a program may give each thread a name of its own.</summary>
    private const int MaxEmptyNameSeries = 256;

    /// <summary>Names that a thread had, remembered with their counters; of one that had more the next ones begin at 0.</summary>
    private const int MaxPrevious = 8;

    private readonly List<(string Name, ThreadSeries Group)> _empty = [];

    public void Assign(WatchedProcess process, in CollectionPass pass)
    {
        ThreadSelection choice = process.Filter.Threads;
        bool anew = !ReferenceEquals(choice, process.SelectedWith);
        process.SelectedWith = choice;
        process.Candidates.Clear();
        foreach (WatchedThread thread in process.Threads)
        {
            if (anew || !thread.HasSeries)
            {
                Move(thread, SeriesFor(process, thread, choice), pass);
                thread.HasSeries = true;
            }
            if (thread.Series is { IsNameSeries: false } series)
                process.Candidates.Add(series);
        }
        if (process.NameSeries is not null)
            CountMembers(process, choice, pass);
    }

    private static ThreadSeries? SeriesFor(WatchedProcess process, WatchedThread thread, ThreadSelection choice)
    {
        if (choice.ShownName(thread.Name) is not { } name)
            return null;
        return choice.Detail == ThreadDetail.Name ? GetNameSeries(process, name) : GetOwnSeries(thread, Encoding.UTF8.GetBytes(name));
    }

    private static ThreadSeries GetNameSeries(WatchedProcess process, string name)
    {
        process.NameSeries ??= new SortedDictionary<string, ThreadSeries>(StringComparer.Ordinal);
        if (!process.NameSeries.TryGetValue(name, out ThreadSeries? group))
            process.NameSeries.Add(name, group = new ThreadSeries(Encoding.UTF8.GetBytes(name), tid: 0));
        return group;
    }

    private static ThreadSeries GetOwnSeries(WatchedThread thread, byte[] name)
    {
        if (thread.Series is { IsNameSeries: false } present && present.Name.AsSpan().SequenceEqual(name))
            return present;
        if (thread.PreviousSeries?.Find(s => s.Name.AsSpan().SequenceEqual(name)) is { } former)
        {
            thread.PreviousSeries.Remove(former);
            return former;
        }
        ThreadSeries series = new(name, thread.Tid);
        series.Shown = (thread.IsBooked ? thread.Booked : thread.Counters).Known();
        // A series of this name may have been forgotten.
        if (thread.PreviousSeries is { Count: MaxPrevious })
            series.StartAtZero();
        return series;
    }

    private static void Move(WatchedThread thread, ThreadSeries? to, in CollectionPass pass)
    {
        ThreadSeries? from = thread.Series;
        if (ReferenceEquals(from, to))
            return;
        thread.Series = to;
        thread.SeriesChangedInPass = pass.Number;
        if (from is not { IsNameSeries: false })
            return;
        from.Hide();
        from.RenderedLabels = null;
        thread.PreviousSeries ??= [];
        if (thread.PreviousSeries.Count == MaxPrevious)
            thread.PreviousSeries.RemoveAt(0);
        thread.PreviousSeries.Add(from);
    }

    private void CountMembers(WatchedProcess process, ThreadSelection choice, in CollectionPass pass)
    {
        foreach (ThreadSeries group in process.NameSeries!.Values)
            group.Members = 0;
        foreach (WatchedThread thread in process.Threads)
        {
            if (thread.Series is { IsNameSeries: true } group)
                group.Members++;
        }
        _empty.Clear();
        foreach ((string name, ThreadSeries group) in process.NameSeries)
        {
            if (group.Members > 0)
                group.EmptySinceTime = 0;
            else if (group.EmptySinceTime == 0)
                group.EmptySinceTime = pass.StartedAt;
            if (group.Members == 0)
                _empty.Add((name, group));
        }
        _empty.Sort(static (a, b) => b.Group.EmptySinceTime.CompareTo(a.Group.EmptySinceTime));
        for (int i = 0; i < _empty.Count; i++)
        {
            if (i >= MaxEmptyNameSeries || pass.StartedAt - _empty[i].Group.EmptySinceTime >= KeepEmptyFor)
            {
                _empty[i].Group.Hide();
                process.NameSeries.Remove(_empty[i].Name);
            }
        }
        if (choice.Detail == ThreadDetail.Name)
            process.Candidates.AddRange(process.NameSeries.Values);
    }
}
