using System.Runtime.InteropServices;
using ThreadExporter.Model;

namespace ThreadExporter.Series;

/// <summary>
/// Selects the series that a collection shows: those that the filters select, but no more than the limit. The selection changes only when
/// threads start, exit or are renamed, by <c>top</c>, by a reload, and at the limit.
/// </summary>
internal sealed class SeriesSelector
{
    /// <summary>How long a series stays shown after it was last among the <c>top</c>, so that it does not come and go. Nanoseconds.</summary>
    private const long KeepTopFor = 600_000_000_000;

    /// <summary>At the limit, a hidden series must exceed a shown one by this much to replace it; in powers of two of recent load.</summary>
    private const double Hysteresis = 1;

    private readonly SeriesAssigner _assigner = new();
    private readonly List<ThreadSeries> _chosen = [];
    private readonly List<ThreadSeries> _recent = [];
    private readonly PriorityQueue<ThreadSeries, double> _ranking = new();
    private bool _wasOver;

    /// <summary>Series that the filters select and that the limit hides.</summary>
    public int Excess { get; private set; }

    /// <summary>Assigns threads to series and selects the series that are shown. To be called once in each collection.</summary>
    /// <param name="owners">All owners, their processes already read.</param>
    /// <param name="pass">The collection.</param>
    /// <param name="limit">How many series may be shown.</param>
    public void Select(IReadOnlyList<SeriesOwner> owners, in CollectionPass pass, int limit)
    {
        int wanted = 0;
        foreach (SeriesOwner owner in owners)
        {
            SeriesSelection selection = owner.Selection;
            int top = owner.Filter.Threads.Top;
            bool changed = _assigner.Assign(owner, pass);
            foreach (WatchedProcess process in owner.Processes())
            {
                if (process.HasUnbookedCpu)
                    AddLoads(process, pass);
            }
            if (changed || top > 0 || _wasOver)
                Choose(selection, pass, top);
            wanted += selection.Chosen;
        }
        Excess = Math.Max(0, wanted - limit);
        if (Excess > 0)
            KeepTop(owners, pass, limit);
        _wasOver = Excess > 0;
        foreach (SeriesOwner owner in owners)
        {
            if (owner.Selection.ShownIsStale)
                Show(owner.Selection, pass);
            if (pass.SamplerWindow > 0)
                SetPeaks(owner, pass);
        }
    }

    private static void AddLoads(WatchedProcess process, in CollectionPass pass)
    {
        foreach (WatchedThread thread in process.Threads)
        {
            if (thread.Series is not { } series || (thread.IsBooked && thread.Cpu <= thread.Booking.Counters.Cpu))
                continue;
            // CPU time from before the process was first seen counts for the rank, but less than any later CPU time.
            double cpu = thread.IsBooked ? thread.Cpu - thread.Booking.Counters.Cpu : process.Balance.IsStarted ? thread.Cpu : thread.Cpu * 1e-9;
            series.AddLoad(cpu, pass.StartedAt);
        }
    }

    private void Choose(SeriesSelection selection, in CollectionPass pass, int top)
    {
        selection.ShownIsStale = true;
        List<ThreadSeries> candidates = selection.Candidates;
        if (top == 0 || candidates.Count <= top)
        {
            foreach (ThreadSeries series in candidates)
                series.ChosenInPass = pass.Number;
            selection.Chosen = candidates.Count;
            return;
        }
        foreach (ThreadSeries series in candidates)
        {
            if (_ranking.Count < top)
                _ranking.Enqueue(series, series.RecentLoad);
            else
                _ranking.EnqueueDequeue(series, series.RecentLoad);
        }
        while (_ranking.TryDequeue(out ThreadSeries? series, out _))
            series.LastTopAt = pass.StartedAt;
        // At most twice as many as the filter's top: those that were among the top most recently.
        _recent.Clear();
        foreach (ThreadSeries series in candidates)
        {
            if (series.LastTopAt != 0 && pass.StartedAt - series.LastTopAt < KeepTopFor)
                _recent.Add(series);
        }
        _recent.Sort(static (a, b) => a.LastTopAt != b.LastTopAt ? b.LastTopAt.CompareTo(a.LastTopAt) : b.RecentLoad.CompareTo(a.RecentLoad));
        selection.Chosen = Math.Min(2 * top, _recent.Count);
        foreach (ThreadSeries series in CollectionsMarshal.AsSpan(_recent)[..selection.Chosen])
            series.ChosenInPass = pass.Number;
    }

    private void KeepTop(IReadOnlyList<SeriesOwner> owners, in CollectionPass pass, int limit)
    {
        _chosen.Clear();
        foreach (SeriesOwner owner in owners)
        {
            // An owner that has not changed still has the choice of an earlier collection.
            if (!owner.Selection.ShownIsStale)
                Choose(owner.Selection, pass, owner.Filter.Threads.Top);
            foreach (ThreadSeries series in owner.Selection.Candidates)
            {
                if (series.ChosenInPass == pass.Number)
                    _chosen.Add(series);
            }
        }
        _chosen.Sort(static (a, b) => LoadAtLimit(b).CompareTo(LoadAtLimit(a)));
        foreach (ThreadSeries series in CollectionsMarshal.AsSpan(_chosen)[limit..])
            series.ChosenInPass = 0;
        _chosen.Clear();
    }

    private static double LoadAtLimit(ThreadSeries series) => series.RecentLoad + (series.ShownSincePass > 0 ? Hysteresis : 0);

    private static void Show(SeriesSelection selection, in CollectionPass pass)
    {
        foreach (ThreadSeries series in selection.Shown)
        {
            if (series.ChosenInPass != pass.Number)
                series.Hide();
        }
        selection.Shown.Clear();
        foreach (ThreadSeries series in selection.Candidates)
        {
            if (series.ChosenInPass != pass.Number)
                continue;
            series.Show(pass.Number);
            selection.Shown.Add(series);
        }
        selection.ShownIsStale = false;
        selection.ShownVersion++;
    }

    private static void SetPeaks(SeriesOwner owner, in CollectionPass pass)
    {
        foreach (ThreadSeries series in CollectionsMarshal.AsSpan(owner.Selection.Shown))
            series.Peak = 0;
        foreach (WatchedProcess process in CollectionsMarshal.AsSpan(owner.Processes()))
        {
            foreach (WatchedThread thread in CollectionsMarshal.AsSpan(process.Threads))
            {
                if (thread.Series is { } series && (thread.Saturation is not null || thread.Reading.Peak is not null))
                    series.Peak = Math.Max(series.Peak, thread.HighestShare(pass.StartedAt, pass.PeakWindow));
            }
        }
    }
}
