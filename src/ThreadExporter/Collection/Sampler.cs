using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Model;
using ThreadExporter.Procfs;

namespace ThreadExporter.Collection;

/// <summary>
/// Finds, between collections, threads that saturate a core: each tick ends one window and starts the next. It samples the threads that ran
/// recently, and the others only when, by the process clock, one of them may have run for a tenth of a window. The caller holds the
/// collection gate.
/// </summary>
internal sealed class Sampler(ProcfsRoot root, Collector collector)
{
    // A thread that did not run in this many windows is no longer sampled in each window.
    private const int StopSamplingAfter = 10;
    // In a window longer than this many intervals the sampler was stopped or got no CPU. Such a window counts for the peak only.
    private const int LongestWindows = 10;
    // An idle process is sampled every second window: reading the process clock dominates the sampler's cost. Of a burst of three windows, one
    // whole window is still seen, or the two in which it started were full.
    private const int WindowsOfIdle = 2;
    // From this number of threads on, the process clock of a busy process, too, is read only every second window: the kernel takes 0.2 µs for each
    // thread, which would be most of the sampler's cost.
    private const int ManyThreads = 500;
    private const double Smoothing = 0.1;
    private const long NanosecondsPerSecond = 1_000_000_000;

    private readonly byte[] _buffer = new byte[256];
    private double _cost;
    private long _due;

    /// <summary>Length of the current window, in nanoseconds: the configured one, or longer to stay within the CPU budget. 0: off.</summary>
    public long Interval { get; private set; }

    /// <summary>Windows that ended late by more than half their length.</summary>
    public long LateTicks { get; private set; }

    /// <summary>Ends the window and starts the next one.</summary>
    /// <param name="config">The active configuration.</param>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    /// <returns>When the next window ends, CLOCK_MONOTONIC ns.</returns>
    /// <exception cref="InvalidOperationException">The collection gate is not held.</exception>
    public long Tick(SamplerConfig config, long now)
    {
        collector.AssertExclusive();
        long configured = config.Interval.Ticks * TimeSpan.NanosecondsPerTick;
        if (!config.Enabled || !root.HasSchedInfo)
        {
            Interval = 0;
            _due = 0;
            return now + Math.Max(configured, NanosecondsPerSecond);
        }
        if (_due != 0 && now - _due > Interval / 2)
            LateTicks++;

        long start = Clocks.ThreadCpuNanoseconds();
        bool awake = false;
        foreach (WatchedProcess process in collector.Processes)
            awake |= Sample(process, now, config.Saturation, config.PeakWindow.Ticks * TimeSpan.NanosecondsPerTick);
        _cost += Smoothing * (Clocks.ThreadCpuNanoseconds() - start - _cost);

        Interval = Math.Max(configured, (long)(_cost / config.CpuBudget));
        // Counted from the start of the window, so that windows keep their length. A late window is not made up for.
        return _due = now + (awake ? Interval : WindowsOfIdle * Interval);
    }

    /// <returns>False while the process is idle.</returns>
    private bool Sample(WatchedProcess process, long now, double saturation, long peakWindow)
    {
        ProcessSampling sampling = process.Sampling;
        bool isIdle = sampling.IdleWindows >= StopSamplingAfter;
        // Half a window of grace: ticks are never exact.
        bool isEarly = 2 * (now - sampling.ClockAt) < (2 * WindowsOfIdle - 1) * Interval;
        if (isIdle && isEarly)
            return false;
        // Without a process clock, each thread is sampled in each window.
        if (root.SharesPidNamespace && isEarly && process.Threads.Count >= ManyThreads)
        {
            SampleActive(process, now, saturation, peakWindow);
            return true;
        }
        long clock = -1;
        if (root.SharesPidNamespace && !Clocks.TryGetProcessCpu(process.Pid, out clock))
            return false;
        sampling.IdleWindows = clock >= 0 && clock == sampling.Clock ? sampling.IdleWindows + 1 : 0;
        bool first = sampling.Clock < 0 && sampling.At == 0;
        // A clock that went backwards gives no limit: then all threads are sampled.
        bool isBounded = clock >= 0 && clock >= sampling.Clock;
        long window = now - sampling.ClockAt;
        SampleActive(process, now, saturation, peakWindow);
        long earlier = Math.Max(0, sampling.UnattributedCpu);
        sampling.UnattributedCpu += clock - sampling.Clock - sampling.ActiveCpu;
        sampling.ActiveCpu = 0;
        sampling.Clock = clock;
        sampling.ClockAt = now;
        if (first || !isBounded || sampling.UnattributedCpu >= window / 10)
        {
            SampleOthers(process, now, window, earlier, saturation, peakWindow);
            sampling.UnattributedCpu = 0;
        }
        return sampling.IdleWindows < StopSamplingAfter;
    }

    /// <summary>Samples the active threads.</summary>
    private void SampleActive(WatchedProcess process, long now, double saturation, long peakWindow)
    {
        ProcessSampling sampling = process.Sampling;
        long window = now - sampling.At;
        int kept = 0;
        for (int i = 0; i < sampling.ActiveThreads.Count; i++)
        {
            WatchedThread thread = sampling.ActiveThreads[i];
            ref ThreadSampling state = ref SamplingOf(thread);
            long before = state.Cpu;
            bool read = TryRead(thread, out long run);
            state.Cpu = read ? run : -1;
            // The thread has exited, or lost its descriptor to a reload that lowered the limit: its saturated time stays as it is.
            if (!read)
            {
                state.Saturation?.SkipWindow();
                state.IsActive = false;
                continue;
            }
            // Another thread has taken its place by exec.
            if (run < before)
            {
                state.Saturation = null;
                state.IsActive = false;
                continue;
            }
            // A collection found that another thread has taken its place. How much of its CPU time belongs to this window is unknown.
            if (before < 0)
            {
                sampling.ActiveThreads[kept++] = thread;
                continue;
            }
            state.IdleWindows = run > before ? 0 : state.IdleWindows + 1;
            sampling.ActiveCpu += run - before;
            Attribute(process, ref state, run - before, window, saturation, now, peakWindow);
            if (state.IdleWindows >= StopSamplingAfter)
                state.IsActive = false;
            else
                sampling.ActiveThreads[kept++] = thread;
        }
        sampling.ActiveThreads.RemoveRange(kept, sampling.ActiveThreads.Count - kept);
        sampling.At = now;
    }

    /// <summary>Samples the threads that are not active. Those that ran become active.</summary>
    /// <param name="process">The process; its active threads are sampled.</param>
    /// <param name="now">End of the window, CLOCK_MONOTONIC ns.</param>
    /// <param name="window">Nanoseconds since the process clock was last read.</param>
    /// <param name="earlier">The most that such a thread can have used before this window, in nanoseconds; so much is not counted for this window.</param>
    /// <param name="saturation">The share of a core from which a window counts as saturated.</param>
    /// <param name="peakWindow">How long peaks are remembered, in nanoseconds.</param>
    private void SampleOthers(WatchedProcess process, long now, long window, long earlier, double saturation, long peakWindow)
    {
        foreach (WatchedThread thread in process.Threads)
        {
            ref ThreadSampling state = ref SamplingOf(thread);
            if (state.IsActive || !TryRead(thread, out long run))
                continue;
            long before = state.Cpu;
            state.Cpu = run;
            if (before < 0 || run <= before)
                continue;
            state.IsActive = true;
            state.IdleWindows = 0;
            process.Sampling.ActiveThreads.Add(thread);
            state.Saturation?.SkipWindow();
            if (run - before > earlier)
                Attribute(process, ref state, run - before - earlier, window, saturation, now, peakWindow);
        }
    }

    private void Attribute(WatchedProcess process, ref ThreadSampling state, long cpu, long window, double saturation, long now, long peakWindow)
    {
        if (cpu == 0 && state.Saturation is null)
            return;
        process.Sampling.Version++;
        state.Saturation ??= new SaturationTracker();
        if (window <= LongestWindows * Interval)
            state.Saturation.AddWindow(cpu, window, saturation);
        else
            state.Saturation.SkipWindow();
        state.Saturation.Peak.Observe((double)cpu / window, now, peakWindow);
    }

    /// <summary>The sampler's state of a thread, reset when another thread has taken its place.</summary>
    private static ref ThreadSampling SamplingOf(WatchedThread thread)
    {
        ref ThreadSampling state = ref thread.Sampling;
        if (state.Identity != thread.Reading.Identity)
            (state.Identity, state.Cpu, state.Saturation) = (thread.Reading.Identity, -1, null);
        return ref state;
    }

    // Only through a kept descriptor: a read by path takes five times as long.
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
