using System.Text;
using NLog.Config;
using NLog.Extensions.Logging;
using NLog.Targets;
using ThreadExporter.Configuration;
using ThreadExporter.Systemd;
using Level = NLog.LogLevel;

namespace ThreadExporter.Logging;

/// <summary>
/// The daemon's log: NLog configured in code, to the journal or standard output and, when one is set, to a file.
/// Usable before there is a host: the composition root logs through <see cref="Factory"/>.
/// </summary>
internal sealed class LogSetup : IDisposable
{
    private readonly NLog.LogFactory _nlog = new();
    private readonly LoggingRule _all = new() { LoggerNamePattern = "*" };
    // Without a target of its own it only holds back what is below its level from the rule after it.
    private readonly LoggingRule _framework = new() { LoggerNamePattern = "Microsoft.*" };
    private readonly NLogLoggerProvider _provider;
    private readonly JournalSocket? _journal;
    private readonly LogFileTarget? _file;

    private LogSetup(LogConfig config, string? file, JournalSocket? journal, TextWriter output, TimeProvider time)
    {
        // NLog's default clock is local time from a cache: an hour of it is ambiguous every autumn.
        NLog.Time.TimeSource.Current = new NLog.Time.AccurateUtcTimeSource();
        _journal = journal;
        LogStdoutTarget standardOutput = new(output, LogFormats.LayoutOf(config.Format));
        Target main = journal is null ? standardOutput : new LogJournalTarget(journal, standardOutput);
        _all.Targets.Add(main);
        if (file is not null)
        {
            _file = new LogFileTarget(file, config, main, time);
            _all.Targets.Add(_file);
        }
        SetRules(config.Level);
        LoggingConfiguration configuration = new(_nlog) { LoggingRules = { _framework, _all } };
        configuration.AddTarget(standardOutput);
        _nlog.Configuration = configuration;
        _file?.Probe();
        _provider = new NLogLoggerProvider(
            new NLogProviderOptions { CaptureEventId = EventIdCaptureType.None, IncludeScopes = false, RegisterServiceProvider = false },
            _nlog);
        Factory = new NLogLoggerFactory(_provider);
    }

    /// <summary>Loggers independent of any host; the same outputs and level.</summary>
    public ILoggerFactory Factory { get; }

    /// <summary>Metric <c>thread_exporter_log_file_writable</c>; true when there is no file.</summary>
    public bool FileWritable => _file?.Writable ?? true;

    /// <param name="config">The table <c>[log]</c>.</param>
    /// <param name="stderrIsJournal">Null: found out from <c>JOURNAL_STREAM</c>.</param>
    /// <param name="journalSocket">Where journald listens.</param>
    /// <param name="output">Null: standard output, in UTF-8 whatever the locale.</param>
    /// <param name="time">Clock of the retries of an unwritable file.</param>
    /// <param name="logsDirectory">As <see cref="LogFilePath.LogsDirectory"/>, for a file that is "auto".</param>
    public static LogSetup Create(
        LogConfig config, bool? stderrIsJournal = null, string journalSocket = JournalSocket.DefaultPath, TextWriter? output = null, TimeProvider? time = null,
        string? logsDirectory = null)
    {
        bool toJournal = config.Journal switch
        {
            JournalMode.Always => true,
            JournalMode.Never => false,
            _ => stderrIsJournal ?? JournalStream.IsJournal(JournalStream.StandardError),
        };
        return new LogSetup(
            config,
            LogFilePath.Of(config.File, logsDirectory),
            toJournal ? new JournalSocket(journalSocket) : null,
            output ?? new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false)) { AutoFlush = true },
            time ?? TimeProvider.System);
    }

    /// <summary>Makes this the only log of a host, and its rules the only filter: no environment variable of the framework cuts in.</summary>
    public void AddTo(ILoggingBuilder builder)
    {
        builder.ClearProviders();
        builder.AddProvider(_provider);
        builder.AddFilter<NLogLoggerProvider>(null, LogLevel.Trace);
        // The host logs a taken port with its stack; the daemon says it in one line, and what ends a service likewise.
        builder.AddFilter<NLogLoggerProvider>("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
    }

    /// <summary>Sets the level of all loggers, those in use included.</summary>
    public void SetLevel(LogLevel level)
    {
        SetRules(level);
        _nlog.ReconfigExistingLoggers();
    }

    /// <summary>Flushes and closes the outputs. Records that come later are lost without an error.</summary>
    public void Dispose()
    {
        Factory.Dispose();
        _provider.Dispose();
        _nlog.Shutdown();
        _nlog.Dispose();
        _journal?.Dispose();
    }

    private void SetRules(LogLevel level)
    {
        // ASP.NET's Information is a line per request, the host's a line per start that the daemon says better.
        _framework.FinalMinLevel = level <= LogLevel.Debug ? Level.Trace : Level.Warn;
        if (level == LogLevel.None)
            _all.DisableLoggingForLevels(Level.Trace, Level.Fatal);
        else
            _all.SetLoggingLevels(Level.FromOrdinal((int)level), Level.Fatal);
    }
}
