using ThreadExporter.Collection;
using ThreadExporter.Exposition;
using ThreadExporter.HotThreads;
using ThreadExporter.Linux;

namespace ThreadExporter.Hosting;

/// <summary>
/// Runs the sampler and takes the hot page's snapshots. Uses a dedicated thread: the thread's CPU clock measures the cost of a
/// window, and ticks do not wait for a free pool thread.
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

    // Does not wait for the thread: it has nothing to clean up, and a background thread does not keep the process running.
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
            // One failed window must neither end the daemon nor flood the log.
            catch (Exception e)
            {
                logger.SamplerFailed(e);
                next = Clocks.MonotonicNanoseconds() + Minute;
            }
            Clocks.SleepUntil(next);
        }
    }
}
