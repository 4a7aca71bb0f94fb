namespace ThreadExporter.Model;

/// <summary>
/// The tids of exited threads that Prometheus may have stored series for: a thread that reuses one must start at 0. Written by
/// <c>Collection/ProcessReader</c> only.
/// </summary>
internal sealed class ShownTids
{
    private const int MaxTids = 1024;

    private readonly HashSet<int> _tids = [];
    private bool _overflowed;

    /// <summary>Records a thread that has exited.</summary>
    public void Add(WatchedThread thread)
    {
        if (thread.Series is not { IsNameSeries: false } && thread.Assignment.Previous is null)
            return;
        if (_tids.Count < MaxTids)
            _tids.Add(thread.Tid);
        else
            _overflowed = true;
    }

    public bool MayContain(int tid) => _overflowed || _tids.Contains(tid);
}
