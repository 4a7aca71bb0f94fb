namespace ThreadExporter.HotThreads;

/// <summary>
/// The CPU use of a listed thread over the last minutes: a ring buffer of about 1.6 kB with one point per snapshot. A snapshot has the same
/// index in all histories.
/// </summary>
internal sealed class UsageHistory
{
    /// <summary>Points kept: three minutes at one a second.</summary>
    public const int Points = 180;

    /// <summary>Snapshots that the values of a row cover: enough to compare rows, few enough to show a short burst.</summary>
    public const int Window = 5;

    /// <summary>A whole core in the unit of <see cref="Copy"/>.</summary>
    public const int WholeCore = 1000;

    private readonly ushort[] _share = new ushort[Points];
    private readonly uint[] _saturated = new uint[Points];
    private readonly long[] _cpu = new long[Window];
    private readonly long[] _wait = new long[Window];
    private readonly long[] _user = new long[Window];
    private readonly long[] _kernel = new long[Window];
    private readonly long _first;
    private long _lastUser = -1;
    private long _lastKernel = -1;
    private long _lastSaturated;

    /// <param name="snapshot">The number of the first snapshot that it covers.</param>
    /// <param name="saturated">Saturated time before the start of the history, in nanoseconds; it is not included.</param>
    public UsageHistory(long snapshot, long saturated)
    {
        _first = snapshot;
        _lastSaturated = saturated;
    }

    /// <summary>The last snapshot recorded.</summary>
    public long RecordedInTick { get; private set; }

    /// <summary>The last snapshot that found that the thread had run or waited for a CPU.</summary>
    public long RanInTick { get; private set; }

    /// <summary>Nanoseconds on a CPU in the last <see cref="Window"/> snapshots.</summary>
    public long Cpu => Sum(_cpu);

    /// <summary>Nanoseconds runnable but waiting for a CPU, in the same snapshots.</summary>
    public long Wait => Sum(_wait);

    /// <summary>Nanoseconds in user mode in the same snapshots; a multiple of the clock tick.</summary>
    public long User => Sum(_user);

    /// <summary>Nanoseconds in kernel mode in the same snapshots; a multiple of the clock tick.</summary>
    public long Kernel => Sum(_kernel);

    /// <summary>Saturated time in the whole history, in nanoseconds, to the microsecond.</summary>
    public long Saturated
    {
        get
        {
            long sum = 0;
            foreach (uint part in _saturated)
                sum += part;
            return sum * 1000;
        }
    }

    /// <summary>Records a snapshot.</summary>
    /// <param name="snapshot">Its number, one more than that of the last snapshot.</param>
    /// <param name="cpu">Nanoseconds that the thread ran since the last snapshot.</param>
    /// <param name="wait">Nanoseconds of waits for a CPU that ended since the last snapshot.</param>
    /// <param name="elapsed">Nanoseconds since the last snapshot.</param>
    /// <param name="saturated">Saturated time in nanoseconds, as the sampler counts it.</param>
    public void Record(long snapshot, long cpu, long wait, long elapsed, long saturated)
    {
        RecordedInTick = snapshot;
        if (cpu > 0 || wait > 0)
            RanInTick = snapshot;
        int recent = (int)(snapshot % Window);
        (_cpu[recent], _wait[recent], _user[recent], _kernel[recent]) = (cpu, wait, 0, 0);
        int point = (int)(snapshot % Points);
        // Rounded up, so that a thread that ran is never shown as 0.
        long share = elapsed <= 0 ? 0 : Math.Min(WholeCore, (cpu * WholeCore + elapsed - 1) / elapsed);
        _share[point] = (ushort)share;
        // The sampler's count starts again at 0 when another thread has taken the place by exec.
        _saturated[point] = (uint)Math.Min(uint.MaxValue, Math.Max(0, saturated - _lastSaturated) / 1000);
        _lastSaturated = saturated;
    }

    /// <summary>
    /// Records user and kernel time for the last snapshot. A time that decreased counts again once it has passed its highest value.
    /// </summary>
    /// <param name="user">Nanoseconds since the thread started, from <c>stat</c>; -1: unknown.</param>
    /// <param name="kernel">The same in kernel mode.</param>
    public void RecordModes(long user, long kernel)
    {
        int recent = (int)(RecordedInTick % Window);
        _user[recent] = _lastUser < 0 ? 0 : Math.Max(0, user - _lastUser);
        _kernel[recent] = _lastKernel < 0 ? 0 : Math.Max(0, kernel - _lastKernel);
        (_lastUser, _lastKernel) = (Math.Max(_lastUser, user), Math.Max(_lastKernel, kernel));
    }

    /// <summary>The share of a core at each point, oldest first, in units of 1/<see cref="WholeCore"/>.</summary>
    public ushort[] Copy()
    {
        int length = (int)Math.Min(Points, RecordedInTick - _first + 1);
        ushort[] points = new ushort[length];
        for (int i = 0; i < length; i++)
            points[i] = _share[(RecordedInTick - length + 1 + i) % Points];
        return points;
    }

    private static long Sum(long[] values)
    {
        long sum = 0;
        foreach (long value in values)
            sum += value;
        return sum;
    }
}
