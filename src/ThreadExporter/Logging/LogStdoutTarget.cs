using NLog;
using NLog.Layouts;
using NLog.Targets;

namespace ThreadExporter.Logging;

/// <summary>Standard output. If the reader has gone (EPIPE) only the record is lost: NLog swallows a target's exceptions.</summary>
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
