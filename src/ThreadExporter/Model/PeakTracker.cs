namespace ThreadExporter.Model;

/// <summary>The largest share of a core that was observed in the last while.</summary>
internal sealed class PeakTracker
{
    private const int Slots = 12;

    // The largest share in each twelfth of the peak window, and one more for the twelfth that is being filled.
    private readonly float[] _highest = new float[Slots + 1];
    private long _slot;

    /// <summary>Remembers a share of a core, 0 to 1.</summary>
    /// <param name="share">The share.</param>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    /// <param name="peakWindow">How long it is remembered, in nanoseconds.</param>
    public void Observe(double share, long now, long peakWindow)
    {
        Advance(now, peakWindow);
        ref float highest = ref _highest[(int)(_slot % _highest.Length)];
        highest = Math.Max(highest, (float)Math.Min(share, 1));
    }

    /// <summary>The largest share of the last <paramref name="peakWindow"/> nanoseconds; up to a twelfth longer.</summary>
    public float HighestShare(long now, long peakWindow)
    {
        Advance(now, peakWindow);
        float highest = 0;
        foreach (float share in _highest)
            highest = Math.Max(highest, share);
        return highest;
    }

    private void Advance(long now, long peakWindow)
    {
        long slot = now / Math.Max(1, peakWindow / Slots);
        // Long ago, or backwards because a reload has changed the window: nothing of it counts any more.
        if (slot < _slot || slot - _slot >= _highest.Length)
            Array.Clear(_highest);
        else
            while (_slot < slot)
                _highest[(int)(++_slot % _highest.Length)] = 0;
        _slot = slot;
    }
}
