namespace ThreadExporter.Model;

/// <summary>
/// What windows say of one thread: how long it saturated a core, and the highest share of a core that it used in any
/// window of the last while.
/// </summary>
internal sealed class SaturationTracker
{
    private const int Slots = 12;

    // The highest share in each twelfth of the peak window, and one more for the twelfth that is being filled.
    private readonly float[] _highest = new float[Slots + 1];
    private long _slot;
    private long _pending;
    private bool _saturated;

    /// <summary>Nanoseconds; never falls.</summary>
    public long Saturated { get; private set; }

    /// <summary>Accounts for one window that the sampler has seen from begin to end.</summary>
    /// <param name="cpu">Nanoseconds that the thread ran in it.</param>
    /// <param name="window">Its length, in nanoseconds.</param>
    /// <param name="saturation">The share of a core from which on a window counts as saturated.</param>
    public void AddWindow(long cpu, long window, double saturation)
    {
        // Run time moves at ticks: a tick of the window before may fall into this one.
        cpu = Math.Min(cpu, window);
        if (cpu >= window * saturation)
        {
            // Full burn began somewhere in the window before: what ran there belongs to it.
            Saturated += window + _pending;
            _pending = 0;
            _saturated = true;
        }
        else if (_saturated)
        {
            // And ended somewhere in this one.
            Saturated += cpu;
            _saturated = false;
        }
        else
        {
            _pending = cpu;
        }
    }

    /// <summary>The sampler did not look at it in the last window: it ran hardly at all.</summary>
    public void SkipWindow()
    {
        _pending = 0;
        _saturated = false;
    }

    /// <summary>Remembers a share of a core, 0 to 1.</summary>
    /// <param name="share">The share.</param>
    /// <param name="now">Monotonic nanoseconds.</param>
    /// <param name="peakWindow">How long it is remembered, in nanoseconds.</param>
    public void ObservePeak(double share, long now, long peakWindow)
    {
        Advance(now, peakWindow);
        ref float highest = ref _highest[(int)(_slot % _highest.Length)];
        highest = Math.Max(highest, (float)Math.Min(share, 1));
    }

    /// <summary>The highest share of the last <paramref name="peakWindow"/> nanoseconds; up to a twelfth longer.</summary>
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
