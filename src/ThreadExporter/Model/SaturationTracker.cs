namespace ThreadExporter.Model;

/// <summary>The saturated time of a thread and its largest share of a core, from the windows of the sampler.</summary>
internal sealed class SaturationTracker
{
    private long _pending;
    private bool _saturated;

    /// <summary>Saturated time in nanoseconds; never decreases.</summary>
    public long Saturated { get; private set; }

    /// <summary>The largest share of a core in a recent window.</summary>
    public PeakTracker Peak { get; } = new();

    /// <summary>Adds a window in which the thread was sampled at the start and at the end.</summary>
    /// <param name="cpu">Nanoseconds that the thread ran in the window.</param>
    /// <param name="window">Length of the window, in nanoseconds.</param>
    /// <param name="saturation">The share of a core from which a window counts as saturated.</param>
    public void AddWindow(long cpu, long window, double saturation)
    {
        // The run time is updated at ticks: the tick at the end of the previous window may be counted in this one.
        cpu = Math.Min(cpu, window);
        if (cpu >= window * saturation)
        {
            // The saturation started within the previous window: the run time of that window belongs to it.
            Saturated += window + _pending;
            _pending = 0;
            _saturated = true;
        }
        else if (_saturated)
        {
            // The saturation ended within this window.
            Saturated += cpu;
            _saturated = false;
        }
        else
        {
            _pending = cpu;
        }
    }

    /// <summary>Skips a window in which the thread was not sampled because it hardly ran.</summary>
    public void SkipWindow()
    {
        _pending = 0;
        _saturated = false;
    }
}
