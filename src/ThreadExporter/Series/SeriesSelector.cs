using System.Runtime.InteropServices;
using ThreadExporter.Model;

namespace ThreadExporter.Series;

/// <summary>
/// Decides at each collection which series are shown: as each rule asks, but no more than fit. Which those are changes
/// only when threads are born, end or are renamed, by <c>top</c>, by a reload, and at the limit.
/// </summary>
internal sealed class SeriesSelector
{
    /// <summary>One of the hottest is shown for so long after, so that its series does not come and go.</summary>
    private const long KeepTopFor = 600_000_000_000;

    /// <summary>How much hotter a newcomer must be, at the limit, to take the place of one that is shown.</summary>
    private const double Hysteresis = 1;

    private readonly SeriesAssigner _assigner = new();
    private readonly List<ThreadSeries> _chosen = [];
    private readonly List<ThreadSeries> _recent = [];
    private readonly PriorityQueue<ThreadSeries, double> _ranking = new();
    private bool _wasOver;

    /// <summary>Series that the rules ask for and that the limit keeps from being shown.</summary>
    public int Excess { get; private set; }

    /// <param name="processes">All watched processes, read.</param>
    /// <param name="pass">The collection.</param>
    /// <param name="limit">How many series may be shown.</param>
    public void Select(IReadOnlyList<WatchedProcess> processes, in CollectionPass pass, int limit)
    {
        int wanted = 0;
        foreach (WatchedProcess process in processes)
        {
            int top = process.Filter.Threads.Top;
            bool changed = process.SeriesDirty || !ReferenceEquals(process.SelectedWith, process.Filter.Threads);
            if (changed)
                _assigner.Assign(process, pass);
            if (process.HasUnbookedCpu)
                AddLoads(process, pass);
            if (changed || top > 0 || _wasOver)
                Choose(process, pass, top);
            wanted += process.Chosen;
        }
        Excess = Math.Max(0, wanted - limit);
        if (Excess > 0)
            KeepTop(processes, pass, limit);
        _wasOver = Excess > 0;
        foreach (WatchedProcess process in processes)
        {
            if (process.SeriesDirty)
                Show(process, pass);
        }
    }

    private static void AddLoads(WatchedProcess process, in CollectionPass pass)
    {
        foreach (WatchedThread thread in process.Threads)
        {
            if (thread.Series is not { } series || (thread.IsBooked && thread.Cpu <= thread.Booked.Cpu))
                continue;
            // Who used most before the first sight is likely to be hot, but whatever is used from then on weighs more.
            double cpu = thread.IsBooked ? thread.Cpu - thread.Booked.Cpu : process.Ledger.IsStarted ? thread.Cpu : thread.Cpu * 1e-9;
            series.AddLoad(cpu, pass.StartedAt);
        }
    }

    private void Choose(WatchedProcess process, in CollectionPass pass, int top)
    {
        process.SeriesDirty = true;
        List<ThreadSeries> candidates = process.Candidates;
        if (top == 0 || candidates.Count <= top)
        {
            foreach (ThreadSeries series in candidates)
                series.ChosenInPass = pass.Number;
            process.Chosen = candidates.Count;
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
        // Twice as many at most, those that were among the hottest last.
        _recent.Clear();
        foreach (ThreadSeries series in candidates)
        {
            if (series.LastTopAt != 0 && pass.StartedAt - series.LastTopAt < KeepTopFor)
                _recent.Add(series);
        }
        _recent.Sort(static (a, b) => a.LastTopAt != b.LastTopAt ? b.LastTopAt.CompareTo(a.LastTopAt) : b.RecentLoad.CompareTo(a.RecentLoad));
        process.Chosen = Math.Min(2 * top, _recent.Count);
        foreach (ThreadSeries series in CollectionsMarshal.AsSpan(_recent)[..process.Chosen])
            series.ChosenInPass = pass.Number;
    }

    private void KeepTop(IReadOnlyList<WatchedProcess> processes, in CollectionPass pass, int limit)
    {
        _chosen.Clear();
        foreach (WatchedProcess process in processes)
        {
            // One that did not change was chosen by an earlier collection.
            if (!process.SeriesDirty)
                Choose(process, pass, process.Filter.Threads.Top);
            foreach (ThreadSeries series in process.Candidates)
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

    private static void Show(WatchedProcess process, in CollectionPass pass)
    {
        foreach (ThreadSeries series in process.Shown)
        {
            if (series.ChosenInPass != pass.Number)
                series.Hide();
        }
        process.Shown.Clear();
        foreach (ThreadSeries series in process.Candidates)
        {
            if (series.ChosenInPass != pass.Number)
                continue;
            series.Show(pass.Number);
            process.Shown.Add(series);
        }
        process.SeriesDirty = false;
    }
}
