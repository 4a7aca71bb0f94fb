using NLog;
using NLog.Targets;
using ThreadExporter.Systemd;
using ThreadExporter.Text;
using LogLevel = NLog.LogLevel;

namespace ThreadExporter.Logging;

/// <summary>
/// The journal: one record holds priority, message and exception, also when they span lines. The category is in LOGGER, and each
/// property of the message template in a field named after it: {ConfigFile} in CONFIG_FILE.
/// </summary>
internal sealed class LogJournalTarget : Target
{
    private const string Identifier = "thread-exporter";

    private readonly JournalSocket _journal;
    private readonly Target _fallback;
    private readonly JournalRecord _record = new();
    private long _lost;

    /// <param name="journal">journald's socket.</param>
    /// <param name="fallback">Receives the records while journald does not listen. No logging rule refers to it, so it must be added to the configuration separately.</param>
    public LogJournalTarget(JournalSocket journal, Target fallback)
    {
        _journal = journal;
        _fallback = fallback;
        Name = "journal";
    }

    protected override void Write(LogEventInfo logEvent)
    {
        switch (Send(logEvent))
        {
            case JournalResult.Sent when _lost > 0:
                long lost = _lost;
                _lost = 0;
                Write(new LogEventInfo(LogLevel.Warn, "ThreadExporter.Log", $"{Plural.Count(lost, "log record was", "log records were")} lost: the journal socket was full"));
                break;
            case JournalResult.Dropped:
                _lost++;
                break;
            case JournalResult.Unavailable:
                _fallback.WriteAsyncLogEvent(new NLog.Common.AsyncLogEventInfo(logEvent, static _ => { }));
                break;
        }
    }

    private JournalResult Send(LogEventInfo logEvent)
    {
        _record.Clear();
        // journalctl shows a message with control characters as "blob data" and prints other messages verbatim. The fields stay exact.
        _record.Add("MESSAGE", Printable.Lines(LogFormats.Message(logEvent)));
        _record.Add(PriorityOf(logEvent.Level));
        _record.Add("SYSLOG_IDENTIFIER", Identifier);
        _record.Add("LOGGER", logEvent.LoggerName ?? "");
        if (logEvent.HasProperties)
        {
            foreach ((object property, object? value) in logEvent.Properties)
            {
                string name = JournalRecord.NameOf(LogFormats.ValueText(property));
                // journald allows repeated fields: without this a {Message} would be a second message of the record.
                if (name is "MESSAGE" or "PRIORITY" or "SYSLOG_IDENTIFIER" or "LOGGER")
                    name = "PROPERTY_" + name;
                _record.Add(name, LogFormats.ValueText(value));
            }
        }
        return _journal.Send(_record);
    }

    private static JournalPriority PriorityOf(LogLevel level) => level.Ordinal switch
    {
        0 or 1 => JournalPriority.Debug,
        2 => JournalPriority.Info,
        3 => JournalPriority.Warning,
        4 => JournalPriority.Error,
        _ => JournalPriority.Critical,
    };
}
