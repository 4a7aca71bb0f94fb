using ThreadExporter.Collection;
using ThreadExporter.Configuration;
using ThreadExporter.Exposition;
using ThreadExporter.Exposition.Buffers;
using ThreadExporter.Matching;
using ThreadExporter.Model;
using ThreadExporter.Procfs;
using ThreadExporter.Settings;

namespace ThreadExporter.Tests.Support;

/// <summary>The collector on a /proc (the real one or a fixture), with one configuration, without HTTP.</summary>
internal sealed class LiveCollector : IDisposable
{
    private readonly ProcfsRoot _root;

    public LiveCollector(ExporterConfig config, string procfs = "/proc", long descriptorLimit = 20_000, TimeProvider? time = null)
    {
        _root = ProcfsRoot.Open(procfs);
        Collector = new Collector(_root, descriptorLimit: descriptorLimit, time: time);
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
        ThreadMetrics.Write(Collector.Processes, Collector, Snapshot.Config.Sampler, new ExpositionWriter(buffer, openMetrics));
        string text = buffer.Text();
        buffer.Release();
        return text;
    }

    public static FilterConfig Pid(params int[] pids) => new() { Name = "by pid", Pid = [.. pids] };

    public static ExporterConfig Config(params FilterConfig[] filters) => new()
    {
        Filters = [.. filters],
        // Every collection looks at every process again, so that tests need not move the clock.
        Collector = new CollectorConfig { RescanInterval = TimeSpan.Zero },
    };

    public void Dispose()
    {
        Collector.Dispose();
        _root.Dispose();
    }
}
