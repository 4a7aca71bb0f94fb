namespace ThreadExporter.Model;

/// <summary>The largest share of a core in a recent window (<c>sampler.peak_window</c>), to a twelfth of that window.</summary>
internal sealed class PeakTracker
{
    private const int Slots = 12;

    // The largest share in each twelfth of the peak window, and one more for the twelfth that is being filled.
    private readonly float[] _highest = new float[Slots + 1];
    private long _slot;

    /// <summary>Records a share of a core.</summary>
    /// <param name="share">The share, 0 to 1; a larger one counts as 1.</param>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    /// <param name="peakWindow">How long it is remembered, in nanoseconds.</param>
    public void Observe(double share, long now, long peakWindow)
    {
        Advance(now, peakWindow);
        ref float highest = ref _highest[(int)(_slot % _highest.Length)];
        highest = Math.Max(highest, (float)Math.Min(share, 1));
    }

    /// <summary>The largest share, 0 to 1, of the last <paramref name="peakWindow"/> nanoseconds, or up to a twelfth longer.</summary>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    /// <param name="peakWindow">Nanoseconds.</param>
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
        // The last share is older than the window, or the number of the slot decreased because a reload changed the window: start again.
        if (slot < _slot || slot - _slot >= _highest.Length)
            Array.Clear(_highest);
        else
            while (_slot < slot)
                _highest[(int)(++_slot % _highest.Length)] = 0;
        _slot = slot;
    }
}
