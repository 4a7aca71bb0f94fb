using ThreadExporter.Collection;
using ThreadExporter.Exposition;
using ThreadExporter.Procfs;

namespace ThreadExporter.Hosting;

/// <summary>
/// Runs the sampler and the hot page's snapshots. On a thread of its own: what a window costs is measured by the thread's
/// CPU clock, and its ticks do not wait for a free thread of the pool.
/// </summary>
internal sealed class SamplerThread(Sampler sampler, HotThreads hot, Scrapes scrapes, ILogger<SamplerThread> logger) : IHostedService
{
    private const int StackSize = 256 * 1024;

    private readonly object _stop = new();
    private bool _stopped;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        new Thread(Run, StackSize) { Name = "sampler", IsBackground = true }.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        lock (_stop)
        {
            _stopped = true;
            Monitor.Pulse(_stop);
        }
        return Task.CompletedTask;
    }

    private void Run()
    {
        TimeSpan wait = TimeSpan.Zero;
        while (!Stopped(wait))
        {
            try
            {
                wait = TimeSpan.FromTicks((scrapes.Sample(sampler, hot) - Clocks.MonotonicNanoseconds()) / TimeSpan.NanosecondsPerTick);
            }
            // One bad window must not end the daemon, nor fill the log.
            catch (Exception e)
            {
                logger.LogError(e, "The sampler failed; it tries again in a minute");
                wait = TimeSpan.FromMinutes(1);
            }
        }
    }

    private bool Stopped(TimeSpan wait)
    {
        lock (_stop)
        {
            if (!_stopped && wait > TimeSpan.Zero)
                Monitor.Wait(_stop, wait);
            return _stopped;
        }
    }
}
