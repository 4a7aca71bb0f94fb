namespace ThreadExporter.Model;

/// <summary>
/// The tids of exited threads for which Prometheus may have stored series. The series of a thread that reuses such a tid must start at 0.
/// Written by <c>Collection/ProcessReader</c> only.
/// </summary>
internal sealed class ShownTids
{
    private const int MaxTids = 1024;

    private readonly HashSet<int> _tids = [];
    private bool _overflowed;

    /// <summary>Adds a thread that has exited, if it had an own series.</summary>
    public void Add(WatchedThread thread)
    {
        if (thread.Series is not { IsNameSeries: false } && thread.Assignment.Previous is null)
            return;
        if (_tids.Count < MaxTids)
            _tids.Add(thread.Tid);
        else
            _overflowed = true;
    }

    /// <summary>Whether an own series with this tid may have been shown. Always true once too many tids were added.</summary>
    public bool MayContain(int tid) => _overflowed || _tids.Contains(tid);
}
