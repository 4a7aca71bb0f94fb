using System.Runtime.InteropServices;

namespace ThreadExporter.Collection;

/// <summary>
/// Decides at each collection which series are shown: as each rule asks, but no more than fit. Which those are changes
/// only when threads are born, end or are renamed, by <c>top</c>, by a reload, and at the limit.
/// </summary>
internal sealed class Arrangement
{
    /// <summary>One of the hottest is shown for so long after, so that its series does not come and go.</summary>
    private const long StickyFor = 600_000_000_000;

    /// <summary>How much hotter a newcomer must be, at the limit, to take the place of one that is shown.</summary>
    private const double Advantage = 1;

    private readonly SeriesPlacement _placement = new();
    private readonly List<ThreadSeries> _chosen = [];
    private readonly List<ThreadSeries> _recent = [];
    private readonly PriorityQueue<ThreadSeries, double> _ranking = new();
    private bool _wasOver;

    /// <summary>Series that the rules ask for and that the limit keeps from being shown.</summary>
    public int Excess { get; private set; }

    /// <param name="processes">All watched processes, read.</param>
    /// <param name="pass">The collection.</param>
    /// <param name="limit">How many series may be shown.</param>
    public void Arrange(IReadOnlyList<WatchedProcess> processes, in Pass pass, int limit)
    {
        int wanted = 0;
        foreach (WatchedProcess process in processes)
        {
            int top = process.Rule.Threads.Top;
            bool changed = process.IsDisarranged || !ReferenceEquals(process.ArrangedBy, process.Rule.Threads);
            if (changed)
                _placement.Place(process, pass);
            if (process.HasMoved)
                Warm(process, pass);
            if (changed || top > 0 || _wasOver)
                Choose(process, pass, top);
            wanted += process.Chosen;
        }
        Excess = Math.Max(0, wanted - limit);
        if (Excess > 0)
            KeepHottest(processes, pass, limit);
        _wasOver = Excess > 0;
        foreach (WatchedProcess process in processes)
        {
            if (process.IsDisarranged)
                Show(process, pass);
        }
    }

    private static void Warm(WatchedProcess process, in Pass pass)
    {
        foreach (WatchedThread thread in process.Threads)
        {
            if (thread.Series is not { } series || (thread.IsBooked && thread.Cpu <= thread.Booked.Cpu))
                continue;
            // Who used most before the first sight is likely to be hot, but whatever is used from then on weighs more.
            double cpu = thread.IsBooked ? thread.Cpu - thread.Booked.Cpu : process.Books.IsOpen ? thread.Cpu : thread.Cpu * 1e-9;
            series.Warm(cpu, pass.Now);
        }
    }

    private void Choose(WatchedProcess process, in Pass pass, int top)
    {
        process.IsDisarranged = true;
        List<ThreadSeries> candidates = process.Candidates;
        if (top == 0 || candidates.Count <= top)
        {
            foreach (ThreadSeries series in candidates)
                series.ChosenIn = pass.Number;
            process.Chosen = candidates.Count;
            return;
        }
        foreach (ThreadSeries series in candidates)
        {
            if (_ranking.Count < top)
                _ranking.Enqueue(series, series.Heat);
            else
                _ranking.EnqueueDequeue(series, series.Heat);
        }
        while (_ranking.TryDequeue(out ThreadSeries? series, out _))
            series.HottestAt = pass.Now;
        // Twice as many at most, those that were among the hottest last.
        _recent.Clear();
        foreach (ThreadSeries series in candidates)
        {
            if (series.HottestAt != 0 && pass.Now - series.HottestAt < StickyFor)
                _recent.Add(series);
        }
        _recent.Sort(static (a, b) => a.HottestAt != b.HottestAt ? b.HottestAt.CompareTo(a.HottestAt) : b.Heat.CompareTo(a.Heat));
        process.Chosen = Math.Min(2 * top, _recent.Count);
        foreach (ThreadSeries series in CollectionsMarshal.AsSpan(_recent)[..process.Chosen])
            series.ChosenIn = pass.Number;
    }

    private void KeepHottest(IReadOnlyList<WatchedProcess> processes, in Pass pass, int limit)
    {
        _chosen.Clear();
        foreach (WatchedProcess process in processes)
        {
            // One that did not change was chosen by an earlier collection.
            if (!process.IsDisarranged)
                Choose(process, pass, process.Rule.Threads.Top);
            foreach (ThreadSeries series in process.Candidates)
            {
                if (series.ChosenIn == pass.Number)
                    _chosen.Add(series);
            }
        }
        _chosen.Sort(static (a, b) => HeatAtLimit(b).CompareTo(HeatAtLimit(a)));
        foreach (ThreadSeries series in CollectionsMarshal.AsSpan(_chosen)[limit..])
            series.ChosenIn = 0;
        _chosen.Clear();
    }

    private static double HeatAtLimit(ThreadSeries series) => series.Heat + (series.ShownSince > 0 ? Advantage : 0);

    private static void Show(WatchedProcess process, in Pass pass)
    {
        foreach (ThreadSeries series in process.Shown)
        {
            if (series.ChosenIn != pass.Number)
                series.Hide();
        }
        process.Shown.Clear();
        foreach (ThreadSeries series in process.Candidates)
        {
            if (series.ChosenIn != pass.Number)
                continue;
            series.Show(pass.Number);
            process.Shown.Add(series);
        }
        process.IsDisarranged = false;
    }
}
