using System.Collections.Immutable;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Hosting.Systemd;
using ThreadExporter.Collection;
using ThreadExporter.Configuration;
using ThreadExporter.Exposition;
using ThreadExporter.Hosting;
using ThreadExporter.HotThreads;
using ThreadExporter.Linux;
using ThreadExporter.Logging;
using ThreadExporter.Procfs;
using ThreadExporter.Settings;
using ThreadExporter.Systemd;
using ThreadExporter.Web;
using ThreadExporter.Web.Auth;
using ThreadExporter.Web.Pages;
using ThreadExporter.Web.Server;

namespace ThreadExporter.Commands;

/// <summary><c>run</c>: the daemon. Constructs its objects by hand and hands them to the generic host.</summary>
internal static class RunCommand
{
    public static async Task<int> RunAsync(Invocation invocation, ReloadQueue requests)
    {
        MallocTuning.Apply();
        ConfigHolder? state = ConfigHolder.Load(invocation.ConfigPath, invocation.ConfigMayBeMissing, invocation.Overrides, out ImmutableArray<ConfigError> errors);
        if (state is null)
            return ReportBadConfig(invocation, errors);

        ExporterConfig config = state.Current.Config;
        using ProcfsRoot root = ProcfsRoot.Open(ProcfsRoot.Detect(config.Collector.Procfs));
        using LogSetup log = LogSetup.Create(config.Log, logsDirectory: LogFilePath.LogsDirectory);
        ILogger logger = log.Factory.CreateLogger(typeof(RunCommand).FullName!);
        try
        {
            return await ServeAsync(state, requests, root, log, logger);
        }
        // It cannot listen, or whatever else keeps it from its work: one line. The stack is for those who look for a bug.
        catch (Exception e)
        {
            logger.LogCritical("{Error}", Failures.Line(e));
            logger.LogDebug(e, "Where it failed");
            return ExitCode.Failure;
        }
    }

    private static async Task<int> ServeAsync(ConfigHolder state, ReloadQueue requests, ProcfsRoot root, LogSetup log, ILogger logger)
    {
        ExporterConfig config = state.Current.Config;
        logger.LogInformation("thread-exporter {Version} starts, reading {Procfs}", SelfMetrics.Version, root.Path);
        using ListenSockets sockets = ListenSockets.Bind(config.Web.Listen, logger);
        CollectionGate gate = new();
        using Collector collector = new(root, gate);
        SelfMetrics metrics = new();
        Sampler sampler = new(root, collector);
        using PasswordHashQueue slots = new();
        PasswordVerifier passwords = new(slots, PasswordHash.Verify);
        HotThreadTracker hot = new(root, collector);
        metrics.BeforeWrite(() => metrics.SetLogins(passwords.Ended(LoginResult.Succeeded), passwords.Ended(LoginResult.Cached), passwords.Ended(LoginResult.Failed), passwords.Ended(LoginResult.Throttled)));
        metrics.BeforeWrite(() => metrics.LogFileWritable.Set(log.FileWritable ? 1 : 0));
        metrics.BeforeWrite(() => metrics.SetSampler(sampler));
        ScrapeCoordinator scrapes = new(collector, gate, metrics, () => state.Current);
        SystemdNotifier notifier = new();
        ReloadStatusFile verdicts = new(RuntimeDirectory.OfThisProcess());

        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "thread-exporter" });
        log.AddTo(builder.Logging);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            HttpLimits.Apply(kestrel, state);
            sockets.AddTo(kestrel, kestrel.ApplicationServices.GetService<TlsCertificates>());
        });
        builder.Services.AddSingleton<IConnectionListenerFactory>(p => new BackoffSocketTransport(sockets, p.GetRequiredService<ILoggerFactory>()));
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(5));
        builder.Services.Configure<ConsoleLifetimeOptions>(o => o.SuppressStatusMessages = true);
        builder.Services.AddSingleton<ISystemdNotifier>(notifier);
        // SystemdLifetime would log a stack trace at the start, and another at the end, when nobody can be told.
        if (notifier.TryNotify(ServiceStates.Status("Starting")))
            builder.Services.AddSingleton<IHostLifetime, SystemdLifetime>();
        else if (notifier.IsEnabled)
            logger.LogWarning("Nothing listens on the socket that NOTIFY_SOCKET names, so the service manager is not told that the daemon is ready");
        builder.Services.AddSingleton(p => new ReloadService(requests, state, collector, gate, scrapes, metrics, log, notifier, verdicts, p.GetRequiredService<ILogger<ReloadService>>()));
        builder.Services.AddHostedService(p => p.GetRequiredService<ReloadService>());
        if (config.Web.WatchConfig && state.Path is { } watched)
            builder.Services.AddHostedService(p => new ConfigFileWatcher(watched, state, requests, p.GetRequiredService<ILogger<ConfigFileWatcher>>()));
        builder.Services.AddHostedService(p => new SamplerService(sampler, hot, gate, () => state.Current, p.GetRequiredService<ILogger<SamplerService>>()));
        builder.Services.AddHostedService(p => new Housekeeping(notifier, Watchdog.Timeout, state, collector, gate, p.GetRequiredService<ReloadService>(), p.GetRequiredService<ILogger<Housekeeping>>()));

        if (config.Web.Tls.IsOn)
        {
            builder.Services.AddSingleton(p => new TlsCertificates(state, metrics, p.GetRequiredService<ILogger<TlsCertificates>>()));
            builder.Services.AddHostedService(p => p.GetRequiredService<TlsCertificates>());
        }

        await using WebApplication app = builder.Build();
        ResponseGuard.Use(app);
        BasicAuth auth = new(state, passwords, app.Services.GetRequiredService<ILogger<BasicAuth>>());
        app.Use(auth.InvokeAsync);
        MetricsEndpoints endpoints = new(scrapes, state, requests, app.Services.GetRequiredService<ILogger<MetricsEndpoints>>());
        endpoints.Map(app);
        new PageEndpoints(collector, gate, state, hot, endpoints).Map(app);

        // Ready means that a scrape would answer: one collection is made before systemd hears of it.
        await scrapes.CollectAsync();
        await app.StartAsync();
        foreach (string url in app.Urls)
            logger.LogInformation("Listening on {Url}{Path}", url, config.Web.TelemetryPath);
        app.Services.GetRequiredService<ReloadService>().Announce();
        await app.WaitForShutdownAsync();
        verdicts.Delete();
        if (app.Services.GetServices<IHostedService>().OfType<BackgroundService>().FirstOrDefault(s => s.ExecuteTask is { IsFaulted: true }) is { } broken)
        {
            logger.LogCritical(broken.ExecuteTask!.Exception, "{Service} has failed", broken.GetType().Name);
            return ExitCode.Failure;
        }
        logger.LogInformation("thread-exporter stops");
        return ExitCode.Success;
    }

    /// <summary>To the journal, as structured records, and to the log file when stderr is the journal, else as the lines that check prints.</summary>
    private static int ReportBadConfig(Invocation invocation, ImmutableArray<ConfigError> errors)
    {
        if (JournalStream.IsJournal(JournalStream.StandardError))
        {
            // What can be read of [log]: a file that was switched off is not made by an error elsewhere.
            LogConfig config = ConfigLoader.Load(invocation.ConfigPath, invocation.Overrides, invocation.ConfigMayBeMissing).Log with { Level = LogLevel.Information, Journal = JournalMode.Always };
            using LogSetup log = LogSetup.Create(config, logsDirectory: LogFilePath.LogsDirectory);
            using ILoggerFactory factory = LoggerFactory.Create(log.AddTo);
            ILogger logger = factory.CreateLogger(typeof(RunCommand));
            foreach (ConfigError error in errors)
                ReloadService.LogConfigError(logger, error);
        }
        else
        {
            foreach (ConfigError error in errors)
                Console.Error.WriteLine(error);
        }
        return ExitCode.BadConfig;
    }
}
