using ThreadExporter.Cgroups;
using ThreadExporter.Collection;
using ThreadExporter.Configuration;
using ThreadExporter.Exposition;
using ThreadExporter.Exposition.Buffers;
using ThreadExporter.Linux;
using ThreadExporter.Matching;
using ThreadExporter.Model;
using ThreadExporter.Procfs;
using ThreadExporter.Settings;

namespace ThreadExporter.Tests.Support;

/// <summary>The collector on a /proc (the real one or a fixture), with one configuration, without HTTP.</summary>
internal sealed class LiveCollector : IDisposable
{
    private readonly ProcfsRoot _root;

    public LiveCollector(ExporterConfig config, string procfs = "/proc", long descriptorLimit = 20_000, TimeProvider? time = null, CgroupfsRoot? cgroups = null)
    {
        _root = ProcfsRoot.Open(procfs);
        Collector = new Collector(_root, descriptorLimit: descriptorLimit, time: time, cgroups: cgroups is null ? null : new CgroupTable(cgroups));
        Use(config);
    }

    public LiveCollector(params FilterConfig[] filters)
        : this(new ExporterConfig { Filters = [.. filters] })
    {
    }

    public Collector Collector { get; }

    public ConfigSnapshot Snapshot { get; private set; } = null!;

    public void Use(ExporterConfig config, Matcher? matcher = null) =>
        Snapshot = new ConfigSnapshot(config, matcher ?? Matcher.Compile(config.Filters), DateTimeOffset.UnixEpoch);

    /// <summary>Uses the kernel's exit records from the next collection on. Skips the test where they are not available.</summary>
    /// <param name="collect">Makes the collection that starts it; null: one that nobody looks at.</param>
    public void UseExitRecords(Action? collect = null)
    {
        Collector.Exits.Subscription.Open(Snapshot, _root, Clocks.MonotonicNanoseconds());
        if (collect is null)
            Collector.Collect(Snapshot);
        else
            collect();
        string? notice = Collector.Exits.Subscription.TakeNotice(out _);
        Assert.SkipUnless(Collector.Exits.Subscription.IsOpen, notice ?? "");
    }

    /// <summary>A collection of one process; null when it is not watched.</summary>
    public WatchedProcess? Collect(int pid)
    {
        Collector.Collect(Snapshot);
        return Collector.Processes.SingleOrDefault(p => p.Pid == pid);
    }

    /// <summary>What a scrape would print of threads and processes.</summary>
    public string Render(bool openMetrics = false)
    {
        PooledBuffer buffer = new(new ChunkPool());
        ThreadMetrics.Write(Collector.Owners, _ => true, Collector, Snapshot.Config.Sampler, new ExpositionWriter(buffer, openMetrics));
        string text = buffer.Text();
        buffer.Release();
        return text;
    }

    public static FilterConfig Pid(params int[] pids) => new() { Name = "by pid", Pid = [.. pids] };

    public static ExporterConfig Config(params FilterConfig[] filters) => new()
    {
        Filters = [.. filters],
        // Every collection checks every process again, so that tests need not move the clock.
        Collector = new CollectorConfig { RescanInterval = TimeSpan.Zero },
    };

    public void Dispose()
    {
        Collector.Dispose();
        _root.Dispose();
    }
}
