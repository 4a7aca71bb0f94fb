using System.Text;
using NLog.Config;
using NLog.Extensions.Logging;
using NLog.Targets;
using ThreadExporter.Configuration;
using ThreadExporter.Systemd;
using Level = NLog.LogLevel;

namespace ThreadExporter.Logging;

/// <summary>
/// The daemon's log: NLog, configured in code. Writes to the journal or standard output and, if configured, to a file.
/// Works without a host: the composition root logs through <see cref="Factory"/>.
/// </summary>
internal sealed class LogSetup : IDisposable
{
    private readonly NLog.LogFactory _nlog = new();
    private readonly LoggingRule _all = new() { LoggerNamePattern = "*" };
    // No target: a filter that stops framework records below its level.
    private readonly LoggingRule _framework = new() { LoggerNamePattern = "Microsoft.*" };
    private readonly NLogLoggerProvider _provider;
    private readonly JournalSocket? _journal;
    private readonly LogFileTarget? _file;

    private LogSetup(LogConfig config, string? file, JournalSocket? journal, TextWriter output, TimeProvider time)
    {
        // NLog's default clock is cached local time, which is ambiguous for one hour every autumn.
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

    /// <summary>Creates loggers that do not depend on a host, with the same outputs and level.</summary>
    public ILoggerFactory Factory { get; }

    /// <summary>Metric <c>thread_exporter_log_file_writable</c>; true when there is no file.</summary>
    public bool FileWritable => _file?.Writable ?? true;

    /// <param name="config">The table <c>[log]</c>.</param>
    /// <param name="stderrIsJournal">Null: determined from <c>JOURNAL_STREAM</c>.</param>
    /// <param name="journalSocket">Path of journald's socket.</param>
    /// <param name="output">Null: standard output, in UTF-8 regardless of the locale.</param>
    /// <param name="time">Clock for retrying an unwritable file.</param>
    /// <param name="logsDirectory">As <see cref="LogFilePath.LogsDirectory"/>, for <c>log.file = "auto"</c>.</param>
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

    /// <summary>Makes this the only log provider of a host, and its rules the only filter: environment variables of the framework have no effect.</summary>
    public void AddTo(ILoggingBuilder builder)
    {
        builder.ClearProviders();
        builder.AddProvider(_provider);
        builder.AddFilter<NLogLoggerProvider>(null, LogLevel.Trace);
        // The host logs a port in use and a failed service with a stack trace. The daemon logs these itself, on one line.
        builder.AddFilter<NLogLoggerProvider>("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
    }

    /// <summary>Sets the level of all loggers, including those in use.</summary>
    public void SetLevel(LogLevel level)
    {
        SetRules(level);
        _nlog.ReconfigExistingLoggers();
    }

    /// <summary>Flushes and closes the outputs. Later records are dropped silently.</summary>
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
        // At Information ASP.NET logs every request, and the host its start, which the daemon logs itself.
        _framework.FinalMinLevel = level <= LogLevel.Debug ? Level.Trace : Level.Warn;
        if (level == LogLevel.None)
            _all.DisableLoggingForLevels(Level.Trace, Level.Fatal);
        else
            _all.SetLoggingLevels(Level.FromOrdinal((int)level), Level.Fatal);
    }
}
