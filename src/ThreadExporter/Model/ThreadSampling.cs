namespace ThreadExporter.Model;

/// <summary>What the sampler knows of a thread. Written by <c>Collection/Sampler</c> only.</summary>
internal struct ThreadSampling()
{
    /// <summary>The <see cref="ThreadReading.Identity"/> that it was sampled as.</summary>
    public int Identity { get; set; } = 1;

    /// <summary>Nanoseconds on a CPU at the last window in which it was read; -1: none.</summary>
    public long Cpu { get; set; } = -1;

    /// <summary>In <see cref="ProcessSampling.ActiveThreads"/>.</summary>
    public bool IsActive { get; set; }

    /// <summary>Windows since it last ran.</summary>
    public int IdleWindows { get; set; }

    /// <summary>Null until the sampler has seen it run.</summary>
    public SaturationTracker? Saturation { get; set; }
}
