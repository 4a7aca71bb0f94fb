using System.Globalization;
using System.Text;
using NLog;
using NLog.Common;
using NLog.Layouts;
using NLog.Targets;
using ThreadExporter.Configuration;
using ThreadExporter.Text;
using LogLevel = NLog.LogLevel;

namespace ThreadExporter.Logging;

/// <summary>
/// The log file. A record that finds the file at <c>log.file_max_size</c> or above rotates it first (so a file exceeds the limit by
/// less than one record). NLog's own rotation is off: it deletes every file that its wildcards match, including unrelated ones.
/// On an error one warning goes to the other output; until the file is writable again records are only counted, and the file is
/// retried every <see cref="RetryInterval"/>.
/// The file is opened for each record, so no signal is needed when it is moved away or its directory is restored.
/// </summary>
internal sealed class LogFileTarget : FileTarget
{
    public static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(10);

    private const string Category = "ThreadExporter.Log";
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    private readonly string _path;
    private readonly LogRotation _rotation;
    private readonly Target _other;
    private readonly ITimer _retry;
    private volatile bool _writable = true;
    private bool _closed;
    private bool _checkTail = true;
    private long _lost;

    /// <param name="path">The file; absolute, because NLog would resolve a relative path against the program's directory.</param>
    /// <param name="config">The table <c>[log]</c>.</param>
    /// <param name="other">Receives the warning.</param>
    /// <param name="time">Clock of the retries.</param>
    public LogFileTarget(string path, LogConfig config, Target other, TimeProvider time)
    {
        _path = path;
        _rotation = new LogRotation(path, config.FileMaxSize, config.FileKeep);
        _other = other;
        _retry = time.CreateTimer(_ => Retry(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Name = "file";
        Layout = LogFormats.LayoutOf(config.Format);
        // Literal: NLog would expand ${...} in it.
        FileName = Layout.FromLiteral(_path);
        Encoding = new UTF8Encoding(false);
        LineEnding = LineEndingMode.LF;
        KeepFileOpen = false;
        // A missing directory is an error to report: it may be a typo, so it is not created.
        CreateDirs = false;
    }

    /// <summary>False from a failed write until the next successful one.</summary>
    public bool Writable => _writable;

    /// <summary>Reports an unusable path at start, not with the first record. The other output must be initialized.</summary>
    public void Probe()
    {
        lock (SyncRoot)
            Try(() => Open(_path).Dispose());
    }

    protected override void CloseTarget()
    {
        _closed = true;
        _retry.Dispose();
        base.CloseTarget();
    }

    protected override void Write(LogEventInfo logEvent)
    {
        if (!_writable || !TryWrite(logEvent))
            _lost++;
    }

    protected override void RenderFormattedMessage(LogEventInfo logEvent, StringBuilder target)
    {
        // A full disk or a crash may have left a partial record: start this one on a new line.
        if (_checkTail && !EndsWithNewline())
            target.Append('\n');
        base.RenderFormattedMessage(logEvent, target);
    }

    protected override Stream CreateFileStream(string path, int bufferSize) => Open(path);

    private static FileStream Open(string path) => new(path, new FileStreamOptions
    {
        Mode = FileMode.Append,
        Access = FileAccess.Write,
        Share = FileShare.ReadWrite | FileShare.Delete,
        BufferSize = 0,
        UnixCreateMode = Mode,
    });

    private void Retry()
    {
        lock (SyncRoot)
        {
            if (_closed)
                return;
            LogEventInfo recovery = Record(LogLevel.Info, $"Log file {_path} is writable again; {Plural.Count(_lost, "record was", "records were")} lost");
            if (!TryWrite(recovery))
                return;
            _lost = 0;
            _other.WriteAsyncLogEvent(new AsyncLogEventInfo(recovery, static _ => { }));
        }
    }

    private bool TryWrite(LogEventInfo record)
    {
        bool written = Try(() =>
        {
            _rotation.RotateIfFull();
            base.Write(record);
        });
        _checkTail = !written;
        return written;
    }

    /// <summary>Catches every exception: no log call may fail because of the file.</summary>
    private bool Try(Action write)
    {
        try
        {
            write();
            _writable = true;
            return true;
        }
        catch (Exception error)
        {
            if (_writable)
                _other.WriteAsyncLogEvent(new AsyncLogEventInfo(
                    Record(LogLevel.Warn, $"Cannot write log file {_path}: {error.Message.TrimEnd('.')}; retrying every {RetryInterval.TotalSeconds} seconds"),
                    static _ => { }));
            _writable = false;
            _retry.Change(RetryInterval, Timeout.InfiniteTimeSpan);
            return false;
        }
    }

    private bool EndsWithNewline()
    {
        try
        {
            using FileStream file = File.OpenRead(_path);
            return file.Length == 0 || (file.Seek(-1, SeekOrigin.End) >= 0 && file.ReadByte() == '\n');
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Missing or not readable: the write reports the error.
            return true;
        }
    }

    private static LogEventInfo Record(LogLevel level, FormattableString message) =>
        new(level, Category, message.ToString(CultureInfo.InvariantCulture));
}
