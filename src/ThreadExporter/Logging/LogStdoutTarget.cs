using NLog;
using NLog.Layouts;
using NLog.Targets;

namespace ThreadExporter.Logging;

/// <summary>Standard output. A reader that went away (EPIPE) costs the record, nothing else: NLog keeps a target's errors.</summary>
internal sealed class LogStdoutTarget : TargetWithLayout
{
    private readonly TextWriter _writer;

    public LogStdoutTarget(TextWriter writer, Layout layout)
    {
        _writer = writer;
        Name = "output";
        Layout = layout;
    }

    protected override void Write(LogEventInfo logEvent) => _writer.Write(RenderLogEvent(Layout, logEvent) + "\n");
}
