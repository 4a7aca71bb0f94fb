using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Model;
using ThreadExporter.Procfs;

namespace ThreadExporter.Collection;

/// <summary>
/// Looks between collections for threads that run at full burn: one pass is the end of one window and the begin of the
/// next. It looks at the threads that ran lately, and at all others only when the process's clock leaves room for one
/// of them to have run for a tenth of a window. Not thread-safe: whoever calls keeps collections away meanwhile.
/// </summary>
internal sealed class Sampler(ProcfsRoot root, Collector collector)
{
    // A thread that did not run in so many windows is no longer looked at in each.
    private const int StopSamplingAfter = 10;
    // A window longer than so many says only how much a thread ran: the sampler was stopped, or got no CPU.
    private const int LongestWindows = 10;
    // A process that has rested for so long is looked at once in two windows: reading its clock is most of what the sampler costs. Of a burst
    // of three windows, one whole window is seen all the same, or the two in which it began were full.
    private const int IdleWindowsBeforeSlowdown = 2;
    private const double Smoothing = 0.1;
    private const long NanosecondsPerSecond = 1_000_000_000;

    private readonly byte[] _buffer = new byte[256];
    private double _cost;
    private long _due;

    /// <summary>Length of the present window, in nanoseconds: the configured one, or longer to keep to the CPU budget. 0: switched off.</summary>
    public long Interval { get; private set; }

    /// <summary>Windows that ended late by more than half their length.</summary>
    public long LateTicks { get; private set; }

    /// <summary>Ends the window.</summary>
    /// <param name="config">The configuration in force.</param>
    /// <param name="now">Monotonic nanoseconds.</param>
    /// <returns>When the next is to end.</returns>
    public long Tick(SamplerConfig config, long now)
    {
        long configured = config.Interval.Ticks * TimeSpan.NanosecondsPerTick;
        if (!config.Enabled || !root.HasSchedInfo)
        {
            Interval = 0;
            _due = 0;
            return now + Math.Max(configured, NanosecondsPerSecond);
        }
        if (_due != 0 && now - _due > Interval / 2)
            LateTicks++;

        long begin = Clocks.ThreadCpuNanoseconds();
        bool awake = false;
        foreach (WatchedProcess process in collector.Processes)
            awake |= Sample(process, now, config.Saturation, config.PeakWindow.Ticks * TimeSpan.NanosecondsPerTick);
        _cost += Smoothing * (Clocks.ThreadCpuNanoseconds() - begin - _cost);

        Interval = Math.Max(configured, (long)(_cost / config.CpuBudget));
        // From the window's begin, so that the windows keep their length; late ones are not made up for.
        return _due = now + (awake ? Interval : IdleWindowsBeforeSlowdown * Interval);
    }

    /// <returns>False while the process rests.</returns>
    private bool Sample(WatchedProcess process, long now, double saturation, long peakWindow)
    {
        ProcessSamplerState samples = process.SamplerState;
        long window = now - samples.At;
        bool rests = samples.IdleWindows >= StopSamplingAfter;
        // Half a window of grace: ticks are never exact.
        if (rests && 2 * window < (2 * IdleWindowsBeforeSlowdown - 1) * Interval)
            return false;
        long owed = Math.Max(0, samples.UnattributedCpu);
        long clock = -1;
        // Where the process has no clock here, each thread is looked at in each window.
        if (root.SharesPidNamespace && !Clocks.TryGetProcessCpu(process.Pid, out clock))
            return false;
        samples.IdleWindows = clock >= 0 && clock == samples.Clock ? samples.IdleWindows + 1 : 0;
        bool first = samples.Clock < 0 && samples.At == 0;
        // A clock that went backwards bounds nothing: then all are looked at.
        bool isBounded = clock >= 0 && clock >= samples.Clock;
        long used = clock - samples.Clock;

        int kept = 0;
        for (int i = 0; i < samples.ActiveThreads.Count; i++)
        {
            WatchedThread thread = samples.ActiveThreads[i];
            long before = thread.SampledCpu;
            bool read = TryRead(thread, out long run);
            thread.SampledCpu = read ? run : -1;
            // Ended, or without a descriptor since a reload lowered their number: what it has counted stands.
            if (!read)
            {
                thread.Saturation?.SkipWindow();
                thread.IsSampled = false;
                continue;
            }
            // Another thread has taken its place by exec.
            if (run < before)
            {
                thread.Saturation = null;
                thread.IsSampled = false;
                continue;
            }
            thread.IdleWindows = run > before ? 0 : thread.IdleWindows + 1;
            used -= run - before;
            Attribute(process, thread, run - before, window, saturation, now, peakWindow);
            if (thread.IdleWindows >= StopSamplingAfter)
                thread.IsSampled = false;
            else
                samples.ActiveThreads[kept++] = thread;
        }
        samples.ActiveThreads.RemoveRange(kept, samples.ActiveThreads.Count - kept);
        samples.UnattributedCpu += used;
        samples.Clock = clock;
        samples.At = now;
        if (first || !isBounded || samples.UnattributedCpu >= window / 10)
        {
            SampleOthers(process, now, window, owed, saturation, peakWindow);
            samples.UnattributedCpu = 0;
        }
        return samples.IdleWindows < StopSamplingAfter;
    }

    /// <param name="process">The process, its busy threads sampled.</param>
    /// <param name="now">The window's end.</param>
    /// <param name="window">Its length.</param>
    /// <param name="owed">What a thread that was not looked at may have used before this window at most; it is not counted for this one.</param>
    /// <param name="saturation">The share of a core from which on a window counts as saturated.</param>
    /// <param name="peakWindow">How long peaks are remembered, in nanoseconds.</param>
    private void SampleOthers(WatchedProcess process, long now, long window, long owed, double saturation, long peakWindow)
    {
        foreach (WatchedThread thread in process.Threads)
        {
            if (thread.IsSampled || !TryRead(thread, out long run))
                continue;
            long before = thread.SampledCpu;
            thread.SampledCpu = run;
            if (before < 0 || run <= before)
                continue;
            thread.IsSampled = true;
            thread.IdleWindows = 0;
            process.SamplerState.ActiveThreads.Add(thread);
            thread.Saturation?.SkipWindow();
            if (run - before > owed)
                Attribute(process, thread, run - before - owed, window, saturation, now, peakWindow);
        }
    }

    private void Attribute(WatchedProcess process, WatchedThread thread, long cpu, long window, double saturation, long now, long peakWindow)
    {
        if (cpu == 0 && thread.Saturation is null)
            return;
        process.HasUnbookedCpu = true;
        thread.Saturation ??= new SaturationTracker();
        if (window <= LongestWindows * Interval)
            thread.Saturation.AddWindow(cpu, window, saturation);
        else
            thread.Saturation.SkipWindow();
        thread.Saturation.ObservePeak((double)cpu / window, now, peakWindow);
    }

    // Only what has a descriptor: by path it would cost five times as much.
    private bool TryRead(WatchedThread thread, out long run)
    {
        run = 0;
        if (thread.Descriptor < 0 || RawFile.ReadAt(thread.Descriptor, _buffer, out int length) != ReadStatus.Ok
            || !ProcSchedstat.TryParse(_buffer.AsSpan(0, length), out ProcSchedstat sched))
        {
            return false;
        }
        run = sched.RunNanoseconds;
        return run >= 0;
    }
}
