using ThreadExporter.Collection;
using ThreadExporter.Exposition;
using ThreadExporter.HotThreads;
using ThreadExporter.Linux;

namespace ThreadExporter.Hosting;

/// <summary>
/// Runs the sampler and the hot page's snapshots. On a thread of its own: what a window costs is measured by the thread's
/// CPU clock, and its ticks do not wait for a free thread of the pool.
/// </summary>
internal sealed class SamplerService(Sampler sampler, HotThreadTracker hot, ScrapeCoordinator scrapes, ILogger<SamplerService> logger) : IHostedService
{
    private const int StackSize = 256 * 1024;

    private const long Minute = 60_000_000_000;

    private volatile bool _stopped;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        new Thread(Run, StackSize) { Name = "sampler", IsBackground = true }.Start();
        return Task.CompletedTask;
    }

    // Nobody waits for it: it has nothing to put away, and a sleep does not keep the process from ending.
    public Task StopAsync(CancellationToken cancellationToken)
    {
        _stopped = true;
        return Task.CompletedTask;
    }

    private void Run()
    {
        while (!_stopped)
        {
            long next;
            try
            {
                next = scrapes.Sample(sampler, hot);
            }
            // One bad window must not end the daemon, nor fill the log.
            catch (Exception e)
            {
                logger.LogError(e, "The sampler failed; it tries again in a minute");
                next = Clocks.MonotonicNanoseconds() + Minute;
            }
            Clocks.SleepUntil(next);
        }
    }
}
