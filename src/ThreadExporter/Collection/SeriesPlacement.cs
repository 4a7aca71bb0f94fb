using System.Text;
using ThreadExporter.Configuration;
using ThreadExporter.Matching;

namespace ThreadExporter.Collection;

/// <summary>
/// Puts each thread of a process into the series that its rule and its name ask for. A series that a thread or a
/// process had before is taken up again, so that its counters go on where they were last shown.
/// </summary>
internal sealed class SeriesPlacement
{
    /// <summary>A group without members stays for so long, with its counters: pools whose threads come and go.</summary>
    private const long KeepEmptyFor = 600_000_000_000;

    /// <summary>Beyond so many groups without members the oldest go: a program may give each thread a name of its own.</summary>
    private const int MaxEmptyGroups = 256;

    /// <summary>Names that a thread had, remembered with their counters; of one that had more the next ones begin at 0.</summary>
    private const int MaxFormer = 8;

    private readonly List<(string Name, ThreadSeries Group)> _empty = [];

    public void Place(WatchedProcess process, in Pass pass)
    {
        ThreadChoice choice = process.Rule.Threads;
        bool anew = !ReferenceEquals(choice, process.ArrangedBy);
        process.ArrangedBy = choice;
        process.Candidates.Clear();
        foreach (WatchedThread thread in process.Threads)
        {
            if (anew || !thread.IsPlaced)
            {
                Move(thread, SeriesFor(process, thread, choice), pass);
                thread.IsPlaced = true;
            }
            if (thread.Series is { IsGroup: false } series)
                process.Candidates.Add(series);
        }
        if (process.Groups is not null)
            Count(process, choice, pass);
    }

    private static ThreadSeries? SeriesFor(WatchedProcess process, WatchedThread thread, ThreadChoice choice)
    {
        if (choice.ShownName(thread.Name) is not { } name)
            return null;
        return choice.Detail == ThreadDetail.Name ? Group(process, name) : Own(thread, Encoding.UTF8.GetBytes(name));
    }

    private static ThreadSeries Group(WatchedProcess process, string name)
    {
        process.Groups ??= new SortedDictionary<string, ThreadSeries>(StringComparer.Ordinal);
        if (!process.Groups.TryGetValue(name, out ThreadSeries? group))
            process.Groups.Add(name, group = new ThreadSeries(Encoding.UTF8.GetBytes(name), tid: 0));
        return group;
    }

    private static ThreadSeries Own(WatchedThread thread, byte[] name)
    {
        if (thread.Series is { IsGroup: false } present && present.Name.AsSpan().SequenceEqual(name))
            return present;
        if (thread.Former?.Find(s => s.Name.AsSpan().SequenceEqual(name)) is { } former)
        {
            thread.Former.Remove(former);
            return former;
        }
        ThreadSeries series = new(name, thread.Tid);
        series.Shown = (thread.IsBooked ? thread.Booked : thread.Counters).Known();
        // A series of this name may have been forgotten.
        if (thread.Former is { Count: MaxFormer })
            series.BeginAtZero();
        return series;
    }

    private static void Move(WatchedThread thread, ThreadSeries? to, in Pass pass)
    {
        ThreadSeries? from = thread.Series;
        if (ReferenceEquals(from, to))
            return;
        thread.Series = to;
        thread.PlacedIn = pass.Number;
        if (from is not { IsGroup: false })
            return;
        from.Hide();
        from.RenderedLabels = null;
        thread.Former ??= [];
        if (thread.Former.Count == MaxFormer)
            thread.Former.RemoveAt(0);
        thread.Former.Add(from);
    }

    private void Count(WatchedProcess process, ThreadChoice choice, in Pass pass)
    {
        foreach (ThreadSeries group in process.Groups!.Values)
            group.Members = 0;
        foreach (WatchedThread thread in process.Threads)
        {
            if (thread.Series is { IsGroup: true } group)
                group.Members++;
        }
        _empty.Clear();
        foreach ((string name, ThreadSeries group) in process.Groups)
        {
            if (group.Members > 0)
                group.EmptySince = 0;
            else if (group.EmptySince == 0)
                group.EmptySince = pass.Now;
            if (group.Members == 0)
                _empty.Add((name, group));
        }
        _empty.Sort(static (a, b) => b.Group.EmptySince.CompareTo(a.Group.EmptySince));
        for (int i = 0; i < _empty.Count; i++)
        {
            if (i >= MaxEmptyGroups || pass.Now - _empty[i].Group.EmptySince >= KeepEmptyFor)
            {
                _empty[i].Group.Hide();
                process.Groups.Remove(_empty[i].Name);
            }
        }
        if (choice.Detail == ThreadDetail.Name)
            process.Candidates.AddRange(process.Groups.Values);
    }
}
