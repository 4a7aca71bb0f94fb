namespace ThreadExporter.Collection;

/// <summary>What is counted of a thread. Nanoseconds, but for the timeslices.</summary>
internal record struct ThreadCounters
{
    /// <summary>On a CPU.</summary>
    public long Cpu { get; set; }

    /// <summary>Runnable but waiting for a CPU.</summary>
    public long Wait { get; set; }

    public long Timeslices { get; set; }

    /// <summary>In user mode, in steps of a clock tick.</summary>
    public long User { get; set; }

    /// <summary>In kernel mode, in steps of a clock tick.</summary>
    public long Kernel { get; set; }

    /// <summary>In windows in which it saturated a core.</summary>
    public long Saturated { get; set; }

    /// <summary>Adds what rose between two readings of one thread. What fell adds nothing: that thread was replaced by another.</summary>
    public void AddRise(in ThreadCounters before, in ThreadCounters now)
    {
        Cpu += Math.Max(0, now.Cpu - before.Cpu);
        Wait += Math.Max(0, now.Wait - before.Wait);
        Timeslices += Math.Max(0, now.Timeslices - before.Timeslices);
        User += Math.Max(0, now.User - before.User);
        Kernel += Math.Max(0, now.Kernel - before.Kernel);
        Saturated += Math.Max(0, now.Saturated - before.Saturated);
    }
}
