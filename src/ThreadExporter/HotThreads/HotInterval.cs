namespace ThreadExporter.HotThreads;

/// <summary>What is recorded of one interval. Made by the sampler's thread, written and read by the recorder's; immutable.</summary>
/// <param name="To">When it ended, in milliseconds since 1970.</param>
/// <param name="Length">Its length by CLOCK_MONOTONIC, in nanoseconds.</param>
/// <param name="Processes">Number of watched processes.</param>
/// <param name="Threads">Number of their threads.</param>
/// <param name="Cpu">CPU time of the watched processes, exited threads included, in nanoseconds.</param>
/// <param name="Wait">Time that their threads waited for a CPU, in nanoseconds.</param>
/// <param name="Rows">The threads that are kept, ordered by CPU time, largest first. Their values cover the interval.</param>
internal sealed record HotInterval(long To, long Length, int Processes, int Threads, long Cpu, long Wait, HotThreadRow[] Rows)
{
    /// <summary>When it started: the clock may have been set meanwhile, so it is the end less the length. Milliseconds since 1970.</summary>
    public long From => To - Length / 1_000_000;

    /// <summary>The largest share of a core that one thread used, in thousandths of a core.</summary>
    public long Peak => Rows.Length == 0 || Length <= 0 ? 0 : Math.Min(UsageHistory.WholeCore, Rows[0].Cpu * UsageHistory.WholeCore / Length);
}
