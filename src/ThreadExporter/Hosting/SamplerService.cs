using ThreadExporter.Collection;
using ThreadExporter.HotThreads;
using ThreadExporter.Linux;
using ThreadExporter.Procfs;
using ThreadExporter.Recording;
using ThreadExporter.Settings;

namespace ThreadExporter.Hosting;

/// <summary>
/// Runs the sampler, takes exit records, takes the hot page's snapshots and reads the recorder's intervals. On its own thread: the cost of a window is measured
/// by the thread's CPU clock, and its ticks do not wait for a free thread of the pool.
/// </summary>
internal sealed class SamplerService(Sampler sampler, HotThreadTracker hot, IntervalReader intervals, Recorder recorder, Collector collector, ProcfsRoot root, CollectionGate gate, Func<ConfigSnapshot> current, ILogger<SamplerService> logger) : IHostedService
{
    private const int StackSize = 256 * 1024;

    private const long Minute = 60_000_000_000;
    private const long NanosecondsPerMillisecond = 1_000_000;

    private volatile bool _stopped;
    private long _sampleDue;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        new Thread(Run, StackSize) { Name = "sampler", IsBackground = true }.Start();
        return Task.CompletedTask;
    }

    // The thread is not awaited: it has nothing to clean up, and its sleep does not keep the process from ending.
    public Task StopAsync(CancellationToken cancellationToken)
    {
        _stopped = true;
        return Task.CompletedTask;
    }

    private void Run()
    {
        // Made once, not at each tick.
        Func<long> tick = Tick;
        while (!_stopped)
        {
            long next;
            try
            {
                // Outside of the gate: it takes some milliseconds.
                collector.Exits.Subscription.Open(current(), root, Clocks.MonotonicNanoseconds());
                next = gate.Run(tick);
            }
            // One failed window must neither end the daemon nor flood the log.
            catch (Exception e)
            {
                logger.SamplerFailed(e);
                next = Clocks.MonotonicNanoseconds() + Minute;
            }
            Clocks.SleepUntil(next);
        }
    }

    /// <summary>Ends a window of the sampler, takes a snapshot for the hot page and ends an interval of the recorder, each when it is due.</summary>
    /// <returns>When the next one is due, CLOCK_MONOTONIC ns.</returns>
    private long Tick()
    {
        ConfigSnapshot snapshot = current();
        long now = Clocks.MonotonicNanoseconds();
        // The thread's sleep has the precision of a millisecond.
        if (now >= _sampleDue - NanosecondsPerMillisecond)
            _sampleDue = sampler.Tick(snapshot.Config.Sampler, now);
        if (intervals.Read(snapshot, recorder.IsOn, now, out long intervalDue) is { } interval)
            recorder.Offer(interval);
        return Math.Min(Math.Min(_sampleDue, collector.DrainExits(snapshot, now)), Math.Min(hot.Tick(snapshot, now), intervalDue));
    }
}
