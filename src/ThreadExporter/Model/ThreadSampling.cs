namespace ThreadExporter.Model;

/// <summary>The sampler's state of a thread. Written by <c>Collection/Sampler</c> only.</summary>
internal struct ThreadSampling()
{
    /// <summary>The <see cref="ThreadReading.Identity"/> under which it was sampled.</summary>
    public int Identity { get; set; } = 1;

    /// <summary>Nanoseconds on a CPU when it was last sampled; -1: not sampled yet.</summary>
    public long Cpu { get; set; } = -1;

    /// <summary>Whether it is in <see cref="ProcessSampling.ActiveThreads"/>.</summary>
    public bool IsActive { get; set; }

    /// <summary>Windows since it last ran.</summary>
    public int IdleWindows { get; set; }

    /// <summary>Null until the sampler has seen it run.</summary>
    public SaturationTracker? Saturation { get; set; }
}
