namespace ThreadExporter.Cgroups;

/// <summary>What a cgroup and those above it with a limit did in a window of several looks.</summary>
/// <param name="cgroup">The cgroup.</param>
/// <param name="rise">The rise of its counters.</param>
internal readonly struct CgroupThrottling(CgroupNode cgroup, CgroupCounters rise)
{
    /// <summary>The one that was throttled in the largest share of its periods.</summary>
    public CgroupNode Cgroup { get; } = cgroup;

    /// <summary>What its counters have grown by.</summary>
    public CgroupCounters Rise { get; } = rise;

    /// <summary>The share of its periods in which it was throttled, 0 to 1.</summary>
    public double ThrottledShare => Rise[CgroupCounter.Periods] <= 0 ? 0 : (double)Rise[CgroupCounter.ThrottledPeriods] / Rise[CgroupCounter.Periods];
}

/// <summary>
/// Follows the throttling of cgroups from look to look, for those who look more often than collections do. Each cgroup is read once per look.
/// Used under the collection gate.
/// </summary>
/// <param name="table">The cgroups.</param>
/// <param name="length">How many intervals between looks the window has at most.</param>
internal sealed class CgroupWindow(CgroupTable table, int length)
{
    private readonly Dictionary<CgroupNode, Track> _tracks = [];
    private long _look;
    private long _now;

    /// <summary>Takes a new look.</summary>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    public void Begin(long now)
    {
        (_look, _now) = (_look + 1, now);
        foreach ((CgroupNode node, Track track) in _tracks)
        {
            if (track.Look < _look - 1)
                _tracks.Remove(node);
        }
    }

    /// <summary>The throttling in the window that ends now. A cgroup must be asked for at every look, or its window begins again.</summary>
    /// <param name="cgroup">The cgroup of a process or thread.</param>
    /// <returns>Null until there are two readings.</returns>
    public CgroupThrottling? Of(CgroupNode cgroup)
    {
        CgroupThrottling? most = null;
        for (CgroupNode? node = cgroup; node is not null; node = node.Parent)
        {
            // All are read, because a reading shows whether there is a limit.
            if (Look(node) is not { } rise || (node != cgroup && !node.IsLimited))
                continue;
            CgroupThrottling throttling = new(node, rise);
            if (most is not { } other || throttling.ThrottledShare > other.ThrottledShare)
                most = throttling;
        }
        return most;
    }

    private CgroupCounters? Look(CgroupNode node)
    {
        if (!_tracks.TryGetValue(node, out Track? track))
            _tracks.Add(node, track = new Track());
        if (track.Look != _look)
        {
            table.Read(node, _now);
            track.Look = _look;
            if (!node.Reading.IsReadable)
                track.Readings.Clear();
            else if (track.Readings.Count > length)
                track.Readings.Dequeue();
            if (node.Reading.IsReadable)
                track.Readings.Enqueue(track.Last = node.Reading.Counters);
        }
        return track.Readings.Count > 1 ? track.Last.RiseSince(track.Readings.Peek()) : null;
    }

    /// <summary>The last readings of a cgroup.</summary>
    private sealed class Track
    {
        public Queue<CgroupCounters> Readings { get; } = [];

        public CgroupCounters Last { get; set; }

        public long Look { get; set; }
    }
}
