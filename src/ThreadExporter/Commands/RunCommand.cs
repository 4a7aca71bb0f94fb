using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Hosting.Systemd;
using ThreadExporter.Cgroups;
using ThreadExporter.Collection;
using ThreadExporter.Configuration;
using ThreadExporter.Exposition;
using ThreadExporter.Hosting;
using ThreadExporter.HotThreads;
using ThreadExporter.Linux;
using ThreadExporter.Logging;
using ThreadExporter.Procfs;
using ThreadExporter.Recording;
using ThreadExporter.Roles;
using ThreadExporter.Settings;
using ThreadExporter.Systemd;
using ThreadExporter.Web;
using ThreadExporter.Web.Auth;
using ThreadExporter.Web.Pages;
using ThreadExporter.Web.Server;

namespace ThreadExporter.Commands;

/// <summary><c>run</c>: the daemon. Constructs its objects and passes them to the generic host.</summary>
internal static class RunCommand
{
    public static async Task<int> RunAsync(Invocation invocation, ReloadQueue requests)
    {
        MallocTuning.Apply();
        ConfigHolder? holder = ConfigHolder.Load(invocation.ConfigPath, invocation.ConfigMayBeMissing, invocation.Overrides, out ConfigResult loaded,
            roleFolders: RoleFolders.Default);
        if (holder is null)
            return ReportBadConfig(loaded);

        ExporterConfig config = holder.Current.Config;
        using ProcfsRoot root = ProcfsRoot.Open(ProcfsRoot.Detect(config.Collector.Procfs));
        using LogSetup log = LogSetup.Create(config.Log, logsDirectory: LogFilePath.LogsDirectory);
        ILogger logger = log.Factory.CreateLogger(typeof(RunCommand).FullName!);
        try
        {
            return await ServeAsync(holder, requests, root, log, logger);
        }
        // A port in use, for example: one line. The stack trace is logged at debug level.
        catch (Exception e)
        {
            logger.Fatal(Failures.Line(e));
            logger.FatalStackTrace(e);
            return ExitCode.Failure;
        }
    }

    private static async Task<int> ServeAsync(ConfigHolder holder, ReloadQueue requests, ProcfsRoot root, LogSetup log, ILogger logger)
    {
        ExporterConfig config = holder.Current.Config;
        logger.Starting(SelfMetrics.Version, root.Path);
        if (logger.IsEnabled(LogLevel.Debug))
            logger.GarbageCollector(string.Join(", ", GC.GetConfigurationVariables().Select(v => $"{v.Key}={v.Value}").Order(StringComparer.Ordinal)));
        using ListenSockets sockets = ListenSockets.Bind(config.Web.Listen, logger);
        CollectionGate gate = new();
        CgroupfsRoot? cgroupfs = CgroupfsRoot.Open(config.Collector.Cgroupfs, out string notice);
        logger.Cgroups(cgroupfs is null && config.Collector.Cgroupfs.StartsWith('/') ? LogLevel.Warning : LogLevel.Information, notice);
        using Collector collector = new(root, gate, cgroups: cgroupfs is null ? null : new CgroupTable(cgroupfs));
        SelfMetrics metrics = new();
        Sampler sampler = new(root, collector);
        using PasswordHashQueue hashQueue = new();
        PasswordVerifier passwords = new(hashQueue, PasswordHash.Verify);
        HotThreadTracker hot = new(root, collector);
        string? database = RecorderDirectory.FileOf(config.Recorder, RecorderDirectory.StateDirectory, out string whyNot);
        Recorder recorder = new(database, whyNot, () => holder.Current.Config.Recorder, TimeProvider.System, log.Factory.CreateLogger<Recorder>());
        metrics.BeforeWrite(() => metrics.SetLogins(passwords.Ended(LoginResult.Succeeded), passwords.Ended(LoginResult.Cached), passwords.Ended(LoginResult.Failed), passwords.Ended(LoginResult.Throttled)));
        metrics.BeforeWrite(() => metrics.LogFileWritable.Set(log.FileWritable ? 1 : 0));
        metrics.BeforeWrite(() => metrics.SetSampler(sampler));
        metrics.BeforeWrite(() => metrics.SetRecorder(recorder.IsOn, recorder.Written, recorder.Lost, recorder.Errors, recorder.Bytes, recorder.LastWrite, recorder.Oldest));
        ScrapeCoordinator scrapes = new(collector, gate, metrics, () => holder.Current);
        SystemdNotifier notifier = new();
        ReloadStatusFile statusFile = new(RuntimeDirectory.OfThisProcess());

        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "thread-exporter" });
        log.AddTo(builder.Logging);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            HttpLimits.Apply(kestrel, holder);
            sockets.AddTo(kestrel, kestrel.ApplicationServices.GetService<TlsCertificates>());
        });
        builder.Services.AddSingleton<IConnectionListenerFactory>(p => new BackoffSocketTransport(sockets, p.GetRequiredService<ILoggerFactory>()));
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(5));
        builder.Services.Configure<ConsoleLifetimeOptions>(o => o.SuppressStatusMessages = true);
        builder.Services.AddSingleton<ISystemdNotifier>(notifier);
        // Without a listener on the socket SystemdLifetime would log a stack trace at start and another at shutdown.
        if (notifier.TryNotify(ServiceStates.Status("Starting")))
            builder.Services.AddSingleton<IHostLifetime, SystemdLifetime>();
        else if (notifier.IsEnabled)
            logger.NotifySocketUnavailable();
        builder.Services.AddSingleton(p => new ReloadService(requests, holder, collector, gate, scrapes, metrics, log, notifier, statusFile, p.GetRequiredService<ILogger<ReloadService>>()));
        builder.Services.AddHostedService(p => p.GetRequiredService<ReloadService>());
        if (config.Web.WatchConfig && holder.Path is { } watched)
            builder.Services.AddHostedService(p => new ConfigFileWatcher(watched, holder, requests, p.GetRequiredService<ILogger<ConfigFileWatcher>>()));
        // Before the sampler, so that it stops after it.
        builder.Services.AddHostedService(_ => recorder);
        IntervalReader intervals = new(root, collector, TimeProvider.System);
        builder.Services.AddHostedService(p => new SamplerService(sampler, hot, intervals, recorder, collector, root, gate, () => holder.Current, p.GetRequiredService<ILogger<SamplerService>>()));
        builder.Services.AddHostedService(p => new Housekeeping(notifier, Watchdog.Timeout, holder, collector, gate, p.GetRequiredService<ReloadService>(), p.GetRequiredService<ILogger<Housekeeping>>()));

        if (config.Web.Tls.IsOn)
        {
            builder.Services.AddSingleton(p => new TlsCertificates(holder, metrics, p.GetRequiredService<ILogger<TlsCertificates>>()));
            builder.Services.AddHostedService(p => p.GetRequiredService<TlsCertificates>());
        }

        await using WebApplication app = builder.Build();
        ResponseGuard.Use(app);
        BasicAuth auth = new(holder, passwords, app.Services.GetRequiredService<ILogger<BasicAuth>>());
        app.Use(auth.InvokeAsync);
        MetricsEndpoints endpoints = new(scrapes, holder, requests, app.Services.GetRequiredService<ILogger<MetricsEndpoints>>());
        endpoints.Map(app);
        new PageEndpoints(collector, gate, holder, hot, endpoints, new RecorderEndpoints(recorder, holder)).Map(app);

        // Ready means that a scrape will succeed: make one collection before notifying systemd.
        await scrapes.CollectAsync();
        await app.StartAsync();
        foreach (string url in app.Urls)
            logger.Listening(url, config.Web.TelemetryPath);
        app.Services.GetRequiredService<ReloadService>().Announce();
        await app.WaitForShutdownAsync();
        statusFile.Delete();
        if (app.Services.GetServices<IHostedService>().OfType<BackgroundService>().FirstOrDefault(s => s.ExecuteTask is { IsFaulted: true }) is { } failed)
        {
            logger.ServiceTerminated(failed.ExecuteTask!.Exception!, failed.GetType().Name);
            return ExitCode.Failure;
        }
        logger.Stopped();
        return ExitCode.Success;
    }

    /// <summary>Logs to the journal (structured records) and the log file when stderr is the journal; else prints the lines that <c>check</c> prints.</summary>
    private static int ReportBadConfig(ConfigResult loaded)
    {
        if (JournalStream.IsJournal(JournalStream.StandardError))
        {
            // What could be read of [log] applies: an error elsewhere must not create a log file that is switched off.
            LogConfig config = loaded.Log with { Level = LogLevel.Information, Journal = JournalMode.Always };
            using LogSetup log = LogSetup.Create(config, logsDirectory: LogFilePath.LogsDirectory);
            ILogger logger = log.Factory.CreateLogger(typeof(RunCommand).FullName!);
            foreach (ConfigError error in loaded.Errors)
                logger.ConfigurationError(error);
        }
        else
        {
            foreach (ConfigError error in loaded.Errors)
                Console.Error.WriteLine(error);
        }
        return ExitCode.BadConfig;
    }
}
