using ThreadExporter.Configuration;
using ThreadExporter.Exposition;
using ThreadExporter.Exposition.Buffers;
using ThreadExporter.Series;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Series;

/// <summary><see cref="SampleBudget"/>: its constants are the numbers of samples that a scrape has.</summary>
public sealed class SampleBudgetTests : IDisposable
{
    private const int Threads = 10;
    private const ExtendedKinds All = ExtendedKinds.ContextSwitches | ExtendedKinds.Faults | ExtendedKinds.Io | ExtendedKinds.LastCpu;

    private readonly FixtureProc _proc = new();

    public SampleBudgetTests()
    {
        _proc.Process(10, "f", threads: Threads);
        for (int tid = 10; tid < 10 + Threads; tid++)
        {
            _proc.Thread(10, tid, "worker"u8);
            _proc.ThreadStatus(10, tid, 1, 2);
            _proc.ThreadIo(10, tid, 3, 4);
        }
    }

    public void Dispose() => _proc.Dispose();

    [Theory]
    [InlineData(true, true, (int)ExtendedKinds.None)]
    [InlineData(true, false, (int)ExtendedKinds.None)]
    [InlineData(false, true, (int)ExtendedKinds.None)]
    [InlineData(true, true, (int)ExtendedKinds.ContextSwitches)]
    [InlineData(true, true, (int)ExtendedKinds.Faults)]
    [InlineData(true, true, (int)ExtendedKinds.Io)]
    [InlineData(true, true, (int)ExtendedKinds.LastCpu)]
    [InlineData(true, true, (int)All)]
    [InlineData(false, false, (int)All)]
    public void Processes_and_threads_have_as_many_samples_as_the_budget_counts(bool hasSchedInfo, bool sampler, int extended)
    {
        if (!hasSchedInfo)
            _proc.Write("self/schedstat", "0 0 0\n"u8);
        ExporterConfig config = Config(ThreadDetail.Tid, (ExtendedKinds)extended) with { Sampler = new SamplerConfig { Enabled = sampler } };
        using LiveCollector live = new(config, _proc.Root);
        live.Collect(10);
        // Only a name series has the number of threads.
        Assert.Equal(SampleBudget.PerOwner + Threads * (SampleBudget.PerSeries(config, hasSchedInfo) - 1), ParsedScrape.Parse(live.Render()).Samples.Count());
    }

    [Fact]
    public void A_name_series_has_as_many_samples_as_the_budget_counts()
    {
        ExporterConfig config = Config(ThreadDetail.Name, ExtendedKinds.None);
        using LiveCollector live = new(config, _proc.Root);
        live.Collect(10);
        Assert.Equal(SampleBudget.PerOwner + SampleBudget.PerSeries(config, hasSchedInfo: true), ParsedScrape.Parse(live.Render()).Samples.Count());
    }

    [Fact]
    public void The_daemon_has_as_many_samples_of_its_own_as_the_budget_counts()
    {
        ExporterConfig config = Config(ThreadDetail.Tid, ExtendedKinds.None);
        using LiveCollector live = new(config, _proc.Root);
        live.Collect(10);
        SelfMetrics metrics = new();
        metrics.SetLogins(0, 0, 0, 0);
        metrics.SetTls(filesUsable: true, DateTime.UtcNow);
        metrics.SetRecorder(isOn: true, written: 1, lost: 0, errors: 0, bytes: 1, lastWrite: 2, oldest: 1);
        PooledBuffer text = new(new ChunkPool());
        metrics.Write(text, openMetrics: false, live.Collector, live.Snapshot);
        Assert.Equal(SampleBudget.Self + config.Filters.Length, ParsedScrape.Parse(text.Text()).Samples.Count());
        text.Release();
    }

    private static ExporterConfig Config(ThreadDetail detail, ExtendedKinds extended) => new()
    {
        Filters = [new FilterConfig { Name = "f", Comm = ["f"], Threads = new ThreadsConfig { Detail = detail } }],
        Collector = new CollectorConfig { RescanInterval = TimeSpan.Zero, Extended = extended },
    };
}
