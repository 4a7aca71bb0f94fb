namespace ThreadExporter.HotThreads;

/// <summary>What a thread did in the window, in the order in which they are decided.</summary>
internal enum Verdict
{
    /// <summary>It used at least <c>sampler.saturation</c> of a core.</summary>
    Busy,

    /// <summary>It waited for a CPU, and the limit of its cgroup or of one above it was used up.</summary>
    Throttled,

    /// <summary>It waited for a CPU that others had.</summary>
    Starved,

    /// <summary>It was in uninterruptible sleep (state D) at most looks.</summary>
    Blocked,

    /// <summary>It used CPU time.</summary>
    Running,

    /// <summary>None of these.</summary>
    Idle,
}

/// <summary>What a verdict is decided by. Times are in nanoseconds and cover the window.</summary>
/// <param name="Window">The length of the window; 0: there is none yet.</param>
/// <param name="Cpu">Time on a CPU.</param>
/// <param name="Wait">Time waiting for a CPU, of the waits that have ended.</param>
/// <param name="Looks">How the state was at the looks in the window.</param>
/// <param name="ThrottledShare">The largest share of periods, 0 to 1, in which its cgroup or one above it was throttled.</param>
internal readonly record struct VerdictInput(long Window, long Cpu, long Wait, StateLooks Looks, double ThrottledShare)
{
    // A tenth of the time, or of the periods.
    private const int LeastShare = 10;

    /// <summary>Whether it waited for a CPU. The kernel counts a wait when it ends: a longer one shows in the state.</summary>
    public bool HasWaited => Window > 0 && (Wait >= Window / LeastShare || Looks.IsWaiting);

    public Verdict Decide(double saturation)
    {
        if (Window > 0 && Cpu >= saturation * Window)
            return Verdict.Busy;
        if (HasWaited)
            return ThrottledShare * LeastShare >= 1 ? Verdict.Throttled : Verdict.Starved;
        if (Looks.IsBlocked)
            return Verdict.Blocked;
        return Cpu > 0 ? Verdict.Running : Verdict.Idle;
    }
}

/// <summary>The states of a thread at the looks of one window.</summary>
/// <param name="Count">How often it was looked at.</param>
/// <param name="Blocked">How often it was in state D.</param>
/// <param name="Waiting">How often it was in state R without having run since the look before.</param>
internal readonly record struct StateLooks(int Count, int Blocked, int Waiting)
{
    // A thread that waits for a disk now and then is not blocked, and one that has just woken up has not waited.
    private const int Least = 2;

    /// <summary>In state R at more than one look without having run.</summary>
    public bool IsWaiting => Waiting >= Least;

    /// <summary>In state D at most looks.</summary>
    public bool IsBlocked => Blocked >= Least && 2 * Blocked > Count;
}

/// <summary>The states of a thread at the last looks. One look for each snapshot at most.</summary>
internal struct StateHistory
{
    private const byte Waiting = (byte)'r';
    private const int BitsPerLook = 8;

    // The last look is in the lowest byte; 0: the thread was not looked at.
    private ulong _states;
    private long _lastLook;

    /// <summary>Records a look.</summary>
    /// <param name="snapshot">The number of the snapshot.</param>
    /// <param name="state">The state letter of <c>stat</c>.</param>
    /// <param name="hasRun">Whether it has run since the last snapshot.</param>
    public void Add(long snapshot, byte state, bool hasRun)
    {
        long shift = snapshot - _lastLook;
        _states = shift is > 0 and < sizeof(ulong) ? _states << (BitsPerLook * (int)shift) : shift == 0 ? _states & ~(ulong)byte.MaxValue : 0;
        _states |= state == (byte)'R' && !hasRun ? Waiting : state;
        _lastLook = snapshot;
    }

    /// <summary>The looks of the last <see cref="UsageHistory.Window"/> snapshots.</summary>
    public readonly StateLooks Recent(long snapshot)
    {
        (int count, int blocked, int waiting) = (0, 0, 0);
        for (long i = snapshot - _lastLook; i < UsageHistory.Window; i++)
        {
            byte state = (byte)(_states >> (BitsPerLook * (int)(i - (snapshot - _lastLook))));
            count += state == 0 ? 0 : 1;
            blocked += state == (byte)'D' ? 1 : 0;
            waiting += state == Waiting ? 1 : 0;
        }
        return new StateLooks(count, blocked, waiting);
    }
}
