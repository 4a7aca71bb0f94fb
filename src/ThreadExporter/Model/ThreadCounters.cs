namespace ThreadExporter.Model;

/// <summary>What is counted of a thread. Nanoseconds, but for the timeslices; -1: not known yet.</summary>
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

    /// <summary>
    /// Adds what rose between two readings of one thread. What fell adds nothing, nor does what was not known before: the kernel's number
    /// may be of any size.
    /// </summary>
    public void AddRise(in ThreadCounters before, in ThreadCounters now)
    {
        Cpu += Rise(before.Cpu, now.Cpu);
        Wait += Rise(before.Wait, now.Wait);
        Timeslices += Rise(before.Timeslices, now.Timeslices);
        User += Rise(before.User, now.User);
        Kernel += Rise(before.Kernel, now.Kernel);
        Saturated += Rise(before.Saturated, now.Saturated);
    }

    /// <summary>
    /// The same thread, read again. A kernel's counter that fell is held at its highest value until it has passed that: had the low number
    /// been the odd one, counting on from it would count what lies between a second time.
    /// </summary>
    public void Follow(in ThreadCounters now)
    {
        Cpu = Math.Max(Cpu, now.Cpu);
        Wait = Math.Max(Wait, now.Wait);
        Timeslices = Math.Max(Timeslices, now.Timeslices);
        User = Math.Max(User, now.User);
        Kernel = Math.Max(Kernel, now.Kernel);
        // The sampler's own: it restarts when the sampler finds another thread first.
        Saturated = now.Saturated;
    }

    /// <summary>What a series can begin with: 0 for what is not known.</summary>
    public readonly ThreadCounters Known() => this with
    {
        Wait = Math.Max(0, Wait),
        Timeslices = Math.Max(0, Timeslices),
        User = Math.Max(0, User),
        Kernel = Math.Max(0, Kernel),
    };

    private static long Rise(long before, long now) => before >= 0 && now > before ? now - before : 0;
}
