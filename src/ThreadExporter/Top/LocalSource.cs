using ThreadExporter.Cgroups;
using ThreadExporter.Collection;
using ThreadExporter.HotThreads;
using ThreadExporter.Linux;
using ThreadExporter.Procfs;
using ThreadExporter.Settings;
using ThreadExporter.Web.Pages;

namespace ThreadExporter.Top;

/// <summary>
/// Measures this host as the daemon does for its hot page, on a thread of its own, which alone uses the collector. Collections are made now and
/// then, because only they keep descriptors of new threads.
/// </summary>
internal sealed class LocalSource : ITopSource
{
    private const long NanosecondsPerSecond = 1_000_000_000;
    private const long CollectInterval = 10 * NanosecondsPerSecond;
    // Enough for a thread that runs all the time to show, and short enough for a screen that seems to come at once.
    private const long FirstInterval = NanosecondsPerSecond / 10;

    private readonly ConfigSnapshot _config;
    private readonly ProcfsRoot _root;
    private readonly Collector _collector;
    private readonly ManualResetEventSlim _stopped = new();
    private Thread? _thread;

    /// <param name="config">Filters and settings.</param>
    /// <param name="notice">What the reader should know of them; null: nothing.</param>
    /// <exception cref="IOException">/proc cannot be opened. The message is one line, ready to print.</exception>
    public LocalSource(ConfigSnapshot config, string? notice)
    {
        (_config, Notice) = (config, notice);
        _root = ProcfsRoot.Open(ProcfsRoot.Detect(config.Config.Collector.Procfs));
        CgroupfsRoot? cgroupfs = CgroupfsRoot.Open(config.Config.Collector.Cgroupfs, out _);
        _collector = new Collector(_root, cgroups: cgroupfs is null ? null : new CgroupTable(cgroupfs));
    }

    public string Name => Environment.MachineName;

    public string? Notice { get; }

    public void Start(TimeSpan refresh, bool isQuick, Action<TopReading> publish, Action<Exception> fail)
    {
        _thread = new Thread(() => Run(refresh.Ticks * TimeSpan.NanosecondsPerTick, isQuick, publish, fail)) { Name = "reader", IsBackground = true };
        _thread.Start();
    }

    /// <summary>
    /// Nanoseconds between two snapshots, of which a row covers five: one a second as for the hot page, or so that the five cover the whole time
    /// between two refreshes.
    /// </summary>
    internal static long SnapshotInterval(long refresh) => Math.Max(Math.Min(refresh, NanosecondsPerSecond), refresh / UsageHistory.Window);

    private void Run(long refresh, bool isQuick, Action<TopReading> publish, Action<Exception> fail)
    {
        try
        {
            Measure(refresh, isQuick, publish);
        }
        // The loop that shows the readings ends with it, and restores the terminal first.
        catch (Exception e)
        {
            fail(e);
        }
    }

    private void Measure(long refresh, bool isQuick, Action<TopReading> publish)
    {
        HotThreadTracker hot = new(_root, _collector, SnapshotInterval(refresh), FirstInterval);
        long now = Clocks.MonotonicNanoseconds();
        _collector.Exits.Subscription.Open(_config, _root, now);
        (long collectDue, long publishDue) = (now, isQuick ? now : now + refresh);
        do
        {
            now = Clocks.MonotonicNanoseconds();
            if (now >= collectDue)
            {
                _collector.Collect(_config);
                collectDue = now + CollectInterval;
            }
            hot.KeepAlive(HotThreadTracker.MaxThreads, now);
            long due = hot.Tick(_config, now);
            HotSnapshot snapshot = hot.Current;
            if (snapshot.Window > 0 && now >= publishDue - FirstInterval / 2)
            {
                publish(new TopReading(HotThreadsResponse.From(snapshot, HotThreadTracker.MaxThreads, _config, isReloadSuccessful: true), null));
                publishDue = now + refresh;
            }
            long pause = due - Clocks.MonotonicNanoseconds();
            if (pause > 0 && _stopped.Wait(TimeSpan.FromTicks(pause / TimeSpan.NanosecondsPerTick)))
                return;
        }
        while (!_stopped.IsSet);
    }

    public void Dispose()
    {
        _stopped.Set();
        _thread?.Join();
        _collector.Dispose();
        _root.Dispose();
        _stopped.Dispose();
    }
}
