using System.Reflection;
using System.Runtime.InteropServices;
using Prometheus;
using ThreadExporter.Configuration;
using ThreadExporter.Exposition.Buffers;
using ThreadExporter.Model;
using ThreadExporter.Settings;

namespace ThreadExporter.Exposition;

/// <summary>
/// What the daemon says of itself, held in a prometheus-net registry: a few dozen series, where a library is the better
/// choice. The threads' series do not go through it (docs/decisions/0001).
/// </summary>
internal sealed class SelfMetrics
{
    private readonly CollectorRegistry _registry = Metrics.NewCustomRegistry();
    private readonly MetricFactory _factory;
    private readonly Gauge _matched;
    private readonly Gauge _threads;
    private readonly Gauge _threadsFolded;
    private readonly Gauge _detailLowered;
    private readonly Counter _collections;
    private readonly Gauge _descriptors;
    private readonly Gauge _duration;
    private readonly Counter _readErrors;
    private readonly Counter _logins;
    private readonly Gauge _tlsFilesUsable;
    private readonly Gauge _tlsExpiry;
    private readonly SelfProcess _process;

    public SelfMetrics()
    {
        _factory = Metrics.WithCustomRegistry(_registry);
        Gauge(MetricCatalog.BuildInfo).WithLabels(Version, RuntimeInformation.FrameworkDescription).Set(1);
        ReloadSuccessful = Gauge(MetricCatalog.ReloadSuccessful);
        ReloadTimestamp = Gauge(MetricCatalog.ReloadTimestamp);
        RestartRequired = Gauge(MetricCatalog.RestartRequired);
        _matched = Gauge(MetricCatalog.MatchedProcesses);
        _threads = Gauge(MetricCatalog.Threads);
        _threadsFolded = Gauge(MetricCatalog.ThreadsFolded);
        _detailLowered = Gauge(MetricCatalog.DetailLowered);
        _collections = Counter(MetricCatalog.Collections);
        _descriptors = Gauge(MetricCatalog.Descriptors);
        _duration = Gauge(MetricCatalog.CollectDuration);
        _readErrors = Counter(MetricCatalog.ReadErrors);
        SamplerInterval = Gauge(MetricCatalog.SamplerInterval);
        SamplerLateTicks = Counter(MetricCatalog.SamplerLateTicks);
        LogFileWritable = Gauge(MetricCatalog.LogFileWritable);
        _logins = Counter(MetricCatalog.Logins);
        _tlsFilesUsable = Gauge(MetricCatalog.TlsFilesUsable, isOptional: true);
        _tlsExpiry = Gauge(MetricCatalog.TlsExpiry, isOptional: true);
        _process = new SelfProcess(Counter(MetricCatalog.SelfCpu), Gauge(MetricCatalog.SelfResident), Gauge(MetricCatalog.SelfVirtual),
            Gauge(MetricCatalog.SelfOpenFds), Gauge(MetricCatalog.SelfMaxFds), Gauge(MetricCatalog.SelfStartTime));
    }

    public static string Version { get; } =
        typeof(SelfMetrics).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    public Gauge ReloadSuccessful { get; }
    public Gauge ReloadTimestamp { get; }
    public Gauge RestartRequired { get; }
    public Gauge SamplerInterval { get; }
    public Counter SamplerLateTicks { get; }
    public Gauge LogFileWritable { get; }
    public TimeSpan RenderDuration { get; set; }

    /// <summary>How logins have ended since the start.</summary>
    public void SetLogins(long succeeded, long cached, long failed, long throttled)
    {
        _logins.WithLabels("succeeded").IncTo(succeeded);
        _logins.WithLabels("cached").IncTo(cached);
        _logins.WithLabels("failed").IncTo(failed);
        _logins.WithLabels("throttled").IncTo(throttled);
    }

    /// <summary>Never called without TLS, whose metrics are then left out: an alert on an expiry must not see a zero.</summary>
    public void SetTls(bool filesUsable, DateTime notAfter)
    {
        _tlsFilesUsable.Set(filesUsable ? 1 : 0);
        _tlsExpiry.Set(new DateTimeOffset(notAfter).ToUnixTimeSeconds());
    }

    /// <summary>Called before each rendering, for what others hold.</summary>
    public Action? OnWrite { get; set; }

    /// <summary>Appends the registry's text, with OpenMetrics' end mark.</summary>
    public void Write(PooledBuffer output, bool openMetrics, Collection.Collector collector, ConfigSnapshot snapshot)
    {
        OnWrite?.Invoke();
        Update(collector, snapshot.Config);
        using BufferStream stream = new(output);
        // On a stream in memory the export completes at once; it is asynchronous only in form.
        _registry.CollectAndExportAsTextAsync(stream,
            openMetrics ? ExpositionFormat.OpenMetricsText : ExpositionFormat.PrometheusText).GetAwaiter().GetResult();
    }

    private void Update(Collection.Collector collector, ExporterConfig config)
    {
        Dictionary<string, int> matched = config.Filters.ToDictionary(f => f.Name, _ => 0);
        foreach (WatchedProcess process in collector.Processes)
            matched[process.Filter.Name]++;
        foreach (string[] labels in _matched.GetAllLabelValues())
        {
            if (!matched.ContainsKey(labels[0]))
                _matched.RemoveLabelled(labels);
        }
        foreach ((string filter, int processes) in matched)
            _matched.WithLabels(filter).Set(processes);

        _threads.Set(collector.Threads);
        _threadsFolded.Set(collector.FoldedAtLimit);
        _detailLowered.Set(collector.DetailLowered ? 1 : 0);
        _collections.IncTo(collector.Collections);
        _descriptors.Set(collector.Descriptors);
        _duration.WithLabels("discover").Set(collector.DiscoverDuration.TotalSeconds);
        _duration.WithLabels("read").Set(collector.ReadDuration.TotalSeconds);
        _duration.WithLabels("render").Set(RenderDuration.TotalSeconds);
        _readErrors.WithLabels("gone").IncTo(collector.Errors.Gone);
        _readErrors.WithLabels("denied").IncTo(collector.Errors.Denied);
        _readErrors.WithLabels("malformed").IncTo(collector.Errors.Malformed);
        _readErrors.WithLabels("other").IncTo(collector.Errors.Other);
        _process.Update();
    }

    /// <param name="family">From the catalogue.</param>
    /// <param name="isOptional">Not there until it is set.</param>
    private Gauge Gauge(MetricFamily family, bool isOptional = false) =>
        _factory.CreateGauge(family.Name, family.Help, [.. family.Labels], new GaugeConfiguration { SuppressInitialValue = isOptional });

    private Counter Counter(MetricFamily family) => _factory.CreateCounter(family.Name, family.Help, [.. family.Labels]);
}
