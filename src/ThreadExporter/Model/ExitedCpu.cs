namespace ThreadExporter.Model;

/// <summary>
/// Bounds of what the exited threads have used of a process clock: what the known threads do not account for. Thread clocks only increase, so while
/// the clock is not above the known threads and the upper bound, threads that were not read have not run (docs/decisions/0005). All times are in
/// nanoseconds.
/// </summary>
internal struct ExitedCpu()
{
    /// <summary>Upper bound; -1: unknown.</summary>
    public long AtMost { get; private set; } = -1;

    /// <summary>Lower bound. It is below <see cref="AtMost"/> when threads ran while the bounds were read.</summary>
    public long AtLeast { get; private set; } = -1;

    public readonly bool IsKnown => AtMost >= 0;

    public void Forget() => AtMost = -1;

    /// <summary>Sets both after all threads were read: the active ones before the clock and again after it, the others after it.</summary>
    /// <param name="remainder">The clock minus the known threads.</param>
    /// <param name="ranSince">What the active threads ran between their two readings.</param>
    public void Set(long remainder, long ranSince) => (AtMost, AtLeast) = (Math.Max(-1, remainder), remainder - ranSince);

    /// <summary>A new thread was read after the clock. It was part of the remainder, so both bounds can only become too low.</summary>
    public void Subtract(long newThread) => Set(AtMost - newThread, AtMost - AtLeast);

    /// <summary>
    /// Whether the active threads explain the clock. Others can then have run unseen for at most twice <paramref name="ranSince"/>, which the sums
    /// of a quieter moment show; when that is 0, no other thread has run.
    /// </summary>
    /// <param name="remainder">The clock minus the known threads; the active ones were read before it.</param>
    /// <param name="ranSince">What the active threads ran between that and a reading after the clock.</param>
    /// <param name="unexplained">What the clock is above the known threads and the upper bound: the active threads ran it since they were read.</param>
    public bool Explains(long remainder, long ranSince, out long unexplained)
    {
        unexplained = Math.Max(0, remainder - AtMost);
        if (!IsKnown || unexplained > ranSince)
            return false;
        // What the active threads ran since, and what others ran unseen, is in the remainder. So it is an upper bound, too.
        AtMost = Math.Min(AtMost, Math.Max(-1, remainder));
        // Otherwise the bounds are set again, closer: at each moment that is quieter than all before, and equal when nothing runs.
        return AtMost - AtLeast <= ranSince;
    }
}
