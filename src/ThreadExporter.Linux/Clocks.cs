namespace ThreadExporter.Linux;

/// <summary>The kernel's clocks: clock_gettime(2).</summary>
public static unsafe class Clocks
{
    private const long NanosecondsPerSecond = 1_000_000_000;
    private const int LargestPid = 4 * 1024 * 1024; // PID_MAX_LIMIT, include/linux/threads.h

    private static long _earliestBootTime = long.MaxValue;

    /// <summary>The unit of the times in <c>stat</c>: sysconf(_SC_CLK_TCK), 100 on every current Linux.</summary>
    public static int TicksPerSecond { get; } = (int)Native.sysconf(Native.SC_CLK_TCK);

    /// <summary>The length of such a tick.</summary>
    public static long NanosecondsPerTick { get; } = NanosecondsPerSecond / TicksPerSecond;

    /// <summary>The longest accepted time in ticks: 146 years, so that the sum of two of them in nanoseconds fits in a long.</summary>
    public static ulong LongestTicks { get; } = (ulong)(long.MaxValue / NanosecondsPerTick / 2);

    /// <summary>A time of <c>stat</c> in nanoseconds; -1 (unknown) when it is longer than <see cref="LongestTicks"/>.</summary>
    public static long FromTicks(ulong ticks) => ticks <= LongestTicks ? (long)ticks * NanosecondsPerTick : -1;

    /// <summary>
    /// CPU time of all threads of a process, running and exited, in nanoseconds: the process's CPU clock (clock_getcpuclockid(3); the bits are
    /// in include/linux/posix-timers.h, CPUCLOCK_SCHED is 2). It works for processes of other users and for zombies. <paramref name="pid"/> is a
    /// pid in this process's pid namespace: without <c>ProcfsRoot.SharesPidNamespace</c> the result may be that of another process.
    /// </summary>
    /// <returns>False when there is no such process.</returns>
    public static bool TryGetProcessCpu(int pid, out long nanoseconds)
    {
        nanoseconds = 0;
        // 0 means this process, and so does a number so large that the shift loses its bits.
        return pid is > 0 and <= LargestPid && TryRead((~pid << 3) | 2, out nanoseconds);
    }

    /// <summary>
    /// When the kernel booted, in nanoseconds since 1970: CLOCK_REALTIME − CLOCK_BOOTTIME. A start time in <c>stat</c>
    /// plus this is a point in time. It moves when the wall clock is set.
    /// </summary>
    public static long BootTimeNanoseconds()
    {
        long boot = Read(Native.CLOCK_REALTIME) - Read(Native.CLOCK_BOOTTIME);
        long known;
        while (boot < (known = EarliestBootTimeNanoseconds) && Interlocked.CompareExchange(ref _earliestBootTime, boot, known) != known)
        {
            // Another thread has just stored a time.
        }
        return boot;
    }

    /// <summary>The earliest result of <see cref="BootTimeNanoseconds"/> so far: the wall clock may have been set forward since then.</summary>
    public static long EarliestBootTimeNanoseconds => Volatile.Read(ref _earliestBootTime);

    /// <summary>Time since boot in ticks, suspend included (CLOCK_BOOTTIME): the unit and the clock of the start times in <c>stat</c>.</summary>
    public static ulong TicksSinceBoot() => (ulong)(Read(Native.CLOCK_BOOTTIME) / NanosecondsPerTick);

    /// <summary>CLOCK_MONOTONIC in nanoseconds, the clock of sd_notify's <c>MONOTONIC_USEC</c>.</summary>
    public static long MonotonicNanoseconds() => Read(Native.CLOCK_MONOTONIC);

    /// <summary>
    /// The timestamp of a <see cref="TimeProvider"/> in nanoseconds. For <see cref="TimeProvider.System"/> it is
    /// <see cref="MonotonicNanoseconds()"/>: on Linux Stopwatch reads CLOCK_MONOTONIC.
    /// </summary>
    public static long MonotonicNanoseconds(TimeProvider time) => checked(time.GetTimestamp() * (NanosecondsPerSecond / time.TimestampFrequency));

    /// <summary>
    /// Sleeps until CLOCK_MONOTONIC reaches a time: clock_nanosleep(2). For the sampler thread, which does this ten times a second: timed waits
    /// of the framework cost several times the CPU.
    /// </summary>
    public static void SleepUntil(long monotonicNanoseconds)
    {
        Native.Timespec until = new() { Seconds = monotonicNanoseconds / NanosecondsPerSecond, Nanoseconds = monotonicNanoseconds % NanosecondsPerSecond };
        while (Native.clock_nanosleep(Native.CLOCK_MONOTONIC, Native.TIMER_ABSTIME, &until, null) == Native.EINTR)
        {
            // This thread handled a signal.
        }
    }

    /// <summary>CPU time of the calling thread, in nanoseconds: CLOCK_THREAD_CPUTIME_ID.</summary>
    public static long ThreadCpuNanoseconds() => Read(Native.CLOCK_THREAD_CPUTIME_ID);

    // These clocks always exist (clock_gettime(2)).
    private static long Read(int clock)
    {
        TryRead(clock, out long nanoseconds);
        return nanoseconds;
    }

    private static bool TryRead(int clock, out long nanoseconds)
    {
        Native.Timespec time;
        bool read = Native.clock_gettime(clock, &time) == 0;
        nanoseconds = read ? (time.Seconds * NanosecondsPerSecond) + time.Nanoseconds : 0;
        return read;
    }
}
