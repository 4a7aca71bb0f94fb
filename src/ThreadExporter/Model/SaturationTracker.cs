namespace ThreadExporter.Model;

/// <summary>What the sampler's windows say of one thread: how long it saturated a core, and its largest share of a core.</summary>
internal sealed class SaturationTracker
{
    private long _pending;
    private bool _saturated;

    /// <summary>Nanoseconds; never decreases.</summary>
    public long Saturated { get; private set; }

    public PeakTracker Peak { get; } = new();

    /// <summary>Accounts for one window that the sampler has seen from start to end.</summary>
    /// <param name="cpu">Nanoseconds that the thread ran in it.</param>
    /// <param name="window">Its length, in nanoseconds.</param>
    /// <param name="saturation">The share of a core from which a window counts as saturated.</param>
    public void AddWindow(long cpu, long window, double saturation)
    {
        // Run time is updated at ticks: a tick of the previous window may fall into this one.
        cpu = Math.Min(cpu, window);
        if (cpu >= window * saturation)
        {
            // Saturation started somewhere in the previous window: what ran there belongs to it.
            Saturated += window + _pending;
            _pending = 0;
            _saturated = true;
        }
        else if (_saturated)
        {
            // And it ended somewhere in this one.
            Saturated += cpu;
            _saturated = false;
        }
        else
        {
            _pending = cpu;
        }
    }

    /// <summary>The thread was not sampled in the last window: it hardly ran.</summary>
    public void SkipWindow()
    {
        _pending = 0;
        _saturated = false;
    }
}
