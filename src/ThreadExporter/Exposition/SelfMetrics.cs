using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Prometheus;
using ThreadExporter.Configuration;
using ThreadExporter.Exposition.Buffers;
using ThreadExporter.Model;
using ThreadExporter.Settings;

namespace ThreadExporter.Exposition;

/// <summary>
/// The metrics of the daemon itself, in a prometheus-net registry: for a few dozen series a library is the better choice. The thread series
/// do not go through it (docs/decisions/0001). Values that change by an event are set then; others are read at each rendering
/// (<see cref="BeforeWrite"/>).
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
    private readonly Gauge _samplerInterval;
    private readonly Counter _samplerLateTicks;
    private readonly Gauge _exitRecords;
    private readonly Counter _exitRecordsLost;
    private readonly Counter _exitedCpuEstimated;
    private readonly Counter _logins;
    private readonly Gauge _recorderEnabled;
    private readonly Counter _recorderIntervals;
    private readonly Counter _recorderLost;
    private readonly Counter _recorderErrors;
    private readonly Gauge _recorderBytes;
    private readonly Gauge _recorderLastWrite;
    private readonly Gauge _recorderOldest;
    private readonly Gauge _tlsFilesUsable;
    private readonly Gauge _tlsExpiry;
    private Exception? _updateError;

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
        _samplerInterval = Gauge(MetricCatalog.SamplerInterval);
        _samplerLateTicks = Counter(MetricCatalog.SamplerLateTicks);
        _exitRecords = Gauge(MetricCatalog.ExitRecordsAvailable);
        _exitRecordsLost = Counter(MetricCatalog.ExitRecordsLost);
        _exitedCpuEstimated = Counter(MetricCatalog.ExitedCpuEstimated);
        LogFileWritable = Gauge(MetricCatalog.LogFileWritable);
        _recorderEnabled = Gauge(MetricCatalog.RecorderEnabled);
        _recorderIntervals = Counter(MetricCatalog.RecorderIntervals);
        _recorderLost = Counter(MetricCatalog.RecorderLost);
        _recorderErrors = Counter(MetricCatalog.RecorderErrors);
        _recorderBytes = Gauge(MetricCatalog.RecorderBytes);
        _recorderLastWrite = Gauge(MetricCatalog.RecorderLastWrite, isOptional: true);
        _recorderOldest = Gauge(MetricCatalog.RecorderOldest, isOptional: true);
        _logins = Counter(MetricCatalog.Logins);
        _tlsFilesUsable = Gauge(MetricCatalog.TlsFilesUsable, isOptional: true);
        _tlsExpiry = Gauge(MetricCatalog.TlsExpiry, isOptional: true);
        SelfProcess process = new(Counter(MetricCatalog.SelfCpu), Gauge(MetricCatalog.SelfResident), Gauge(MetricCatalog.SelfVirtual),
            Gauge(MetricCatalog.SelfOpenFds), Gauge(MetricCatalog.SelfMaxFds), Gauge(MetricCatalog.SelfStartTime));
        BeforeWrite(process.Update);
    }

    /// <summary>The version of the build, as shown in <c>thread_exporter_build_info</c>.</summary>
    public static string Version { get; } =
        typeof(SelfMetrics).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    public Gauge ReloadSuccessful { get; }
    public Gauge ReloadTimestamp { get; }
    public Gauge RestartRequired { get; }
    public Gauge LogFileWritable { get; }

    /// <summary>Duration of the last rendering of a text.</summary>
    public TimeSpan RenderDuration { get; set; }

    /// <summary>Sets the metrics of the sampler.</summary>
    public void SetSampler(Collection.Sampler sampler)
    {
        _samplerInterval.Set(sampler.Interval / 1e9);
        _samplerLateTicks.IncTo(sampler.LateTicks);
    }

    /// <summary>Sets the metrics of the recorder. The two times are left out until they are known: an alert on their age must not see a zero.</summary>
    /// <param name="isOn">Whether intervals are recorded.</param>
    /// <param name="written">Intervals written since the start.</param>
    /// <param name="lost">Intervals that were not written.</param>
    /// <param name="errors">Failures to open, write or read the database.</param>
    /// <param name="bytes">Size of the database.</param>
    /// <param name="lastWrite">The end of the last interval written, in milliseconds since 1970; 0: not known.</param>
    /// <param name="oldest">The start of the oldest interval, in milliseconds since 1970; 0: not known.</param>
    public void SetRecorder(bool isOn, long written, long lost, long errors, long bytes, long lastWrite, long oldest)
    {
        _recorderEnabled.Set(isOn ? 1 : 0);
        _recorderIntervals.IncTo(written);
        _recorderLost.IncTo(lost);
        _recorderErrors.IncTo(errors);
        _recorderBytes.Set(bytes);
        if (lastWrite > 0)
            _recorderLastWrite.Set(lastWrite / 1000.0);
        if (oldest > 0)
            _recorderOldest.Set(oldest / 1000.0);
    }

    /// <summary>Sets the number of logins since the start, by result.</summary>
    public void SetLogins(long succeeded, long cached, long failed, long throttled)
    {
        _logins.WithLabels("succeeded").IncTo(succeeded);
        _logins.WithLabels("cached").IncTo(cached);
        _logins.WithLabels("failed").IncTo(failed);
        _logins.WithLabels("throttled").IncTo(throttled);
    }

    /// <summary>
    /// Sets the metrics of the TLS files. Without TLS it is not called and they are left out: an alert on the expiry must not see a zero.
    /// </summary>
    /// <param name="filesUsable">False: the files have changed on disk and cannot be used.</param>
    /// <param name="notAfter">When the certificate in use expires; UTC.</param>
    public void SetTls(bool filesUsable, DateTime notAfter)
    {
        _tlsFilesUsable.Set(filesUsable ? 1 : 0);
        _tlsExpiry.Set(new DateTimeOffset(notAfter).ToUnixTimeSeconds());
    }

    /// <summary>
    /// Registers a callback that sets metrics to the values of the moment. It is called before each rendering, while the collection gate is
    /// held, so it must not block. When it throws, the scrape fails.
    /// </summary>
    public void BeforeWrite(Action update) => _registry.AddBeforeCollectCallback(() =>
    {
        try
        {
            update();
        }
        // The registry drops exceptions of callbacks (CollectorRegistry.RunBeforeCollectCallbacksAsync): the scrape would succeed with old values.
        catch (Exception e)
        {
            _updateError ??= e;
        }
    });

    /// <summary>Appends the text of the registry; in OpenMetrics it ends with <c># EOF</c>. The caller holds the collection gate.</summary>
    /// <param name="output">Receives the text.</param>
    /// <param name="openMetrics">OpenMetrics 1.0.0 instead of the text format 0.0.4.</param>
    /// <param name="collector">Its last collection is the one that is rendered.</param>
    /// <param name="snapshot">The configuration of that collection.</param>
    /// <exception cref="Exception">What a <see cref="BeforeWrite"/> callback has thrown.</exception>
    public void Write(PooledBuffer output, bool openMetrics, Collection.Collector collector, ConfigSnapshot snapshot)
    {
        Update(collector, snapshot.Config);
        _updateError = null;
        using BufferStream stream = new(output);
        // A stream in memory never waits, so the task has already completed.
        _registry.CollectAndExportAsTextAsync(stream,
            openMetrics ? ExpositionFormat.OpenMetricsText : ExpositionFormat.PrometheusText).GetAwaiter().GetResult();
        if (_updateError is not null)
            ExceptionDispatchInfo.Throw(_updateError);
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
        _exitRecords.Set(collector.Exits.Subscription.IsOpen ? 1 : 0);
        _exitRecordsLost.IncTo(collector.Exits.Subscription.Lost);
        _exitedCpuEstimated.IncTo(collector.Exits.Ledger.Estimated / 1e9);
        _descriptors.Set(collector.Descriptors);
        _duration.WithLabels("discover").Set(collector.DiscoverDuration.TotalSeconds);
        _duration.WithLabels("read").Set(collector.ReadDuration.TotalSeconds);
        _duration.WithLabels("render").Set(RenderDuration.TotalSeconds);
        _readErrors.WithLabels("gone").IncTo(collector.Errors.Gone);
        _readErrors.WithLabels("denied").IncTo(collector.Errors.Denied);
        _readErrors.WithLabels("malformed").IncTo(collector.Errors.Malformed);
        _readErrors.WithLabels("other").IncTo(collector.Errors.Other);
    }

    /// <param name="family">From <see cref="MetricCatalog"/>.</param>
    /// <param name="isOptional">Left out until it is set.</param>
    private Gauge Gauge(MetricFamily family, bool isOptional = false) =>
        _factory.CreateGauge(family.Name, family.Help, [.. family.Labels], new GaugeConfiguration { SuppressInitialValue = isOptional });

    private Counter Counter(MetricFamily family) => _factory.CreateCounter(family.Name, family.Help, [.. family.Labels]);
}
