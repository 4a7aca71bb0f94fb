namespace ThreadExporter.HotThreads;

/// <summary>
/// The last minutes of one listed thread: a ring buffer of about 1.6 kB with one point per snapshot. All histories count the same snapshots,
/// so a snapshot has the same index in each of them.
/// </summary>
internal sealed class UsageHistory
{
    /// <summary>Points kept: three minutes at one a second.</summary>
    public const int Points = 180;

    /// <summary>Snapshots that the figures of a row cover: long enough to compare rows, short enough to follow a burst.</summary>
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
    /// <param name="saturated">Saturated time before the history starts, in nanoseconds; not included.</param>
    public UsageHistory(long snapshot, long saturated)
    {
        _first = snapshot;
        _lastSaturated = saturated;
    }

    /// <summary>The last snapshot recorded.</summary>
    public long RecordedInTick { get; private set; }

    /// <summary>The last snapshot in which the thread was found to have run or waited.</summary>
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
    /// <param name="snapshot">Its number, one more than that of the last.</param>
    /// <param name="cpu">Nanoseconds that the thread ran since the last.</param>
    /// <param name="wait">Nanoseconds of waiting for a CPU that ended since the last.</param>
    /// <param name="elapsed">Nanoseconds since the last.</param>
    /// <param name="saturated">Saturated time in nanoseconds, as the sampler counts it.</param>
    public void Record(long snapshot, long cpu, long wait, long elapsed, long saturated)
    {
        RecordedInTick = snapshot;
        if (cpu > 0 || wait > 0)
            RanInTick = snapshot;
        int recent = (int)(snapshot % Window);
        (_cpu[recent], _wait[recent], _user[recent], _kernel[recent]) = (cpu, wait, 0, 0);
        int point = (int)(snapshot % Points);
        // Rounded up: a thread that ran is never shown as 0.
        long share = elapsed <= 0 ? 0 : Math.Min(WholeCore, (cpu * WholeCore + elapsed - 1) / elapsed);
        _share[point] = (ushort)share;
        // The sampler starts again from 0 when another thread has taken over by exec.
        _saturated[point] = (uint)Math.Min(uint.MaxValue, Math.Max(0, saturated - _lastSaturated) / 1000);
        _lastSaturated = saturated;
    }

    /// <summary>
    /// Records the times from <c>stat</c> for the last snapshot: nanoseconds since the thread started; -1: unknown. A time that decreased counts again when it has passed its highest value.
    /// </summary>
    public void RecordModes(long user, long kernel)
    {
        int recent = (int)(RecordedInTick % Window);
        _user[recent] = _lastUser < 0 ? 0 : Math.Max(0, user - _lastUser);
        _kernel[recent] = _lastKernel < 0 ? 0 : Math.Max(0, kernel - _lastKernel);
        (_lastUser, _lastKernel) = (Math.Max(_lastUser, user), Math.Max(_lastKernel, kernel));
    }

    /// <summary>The points from the oldest to the newest, in thousandths of a core.</summary>
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
