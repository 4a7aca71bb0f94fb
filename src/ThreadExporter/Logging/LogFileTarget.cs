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
/// The log file. The first record that finds it at <c>log.file_max_size</c> or above rotates it (so a file is larger by less
/// than one record). NLog's own rotation is off: it deletes whatever its wildcards match, files of others too.
/// A fault is one warning to the other output; while it lasts records are counted, not tried, and every
/// <see cref="RetryInterval"/> the file is tried again.
/// The file is opened for each record, so a file that was moved away or a directory that came back needs no signal.
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
    private long _missing;

    /// <param name="path">The file. NLog would resolve a relative path against the program's directory.</param>
    /// <param name="config">The table <c>[log]</c>.</param>
    /// <param name="other">Takes the warning.</param>
    /// <param name="time">Clock of the retries.</param>
    public LogFileTarget(string path, LogConfig config, Target other, TimeProvider time)
    {
        _path = path;
        _rotation = new LogRotation(path, config.FileMaxSize, config.FileKeep);
        _other = other;
        _retry = time.CreateTimer(_ => Retry(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Name = "file";
        Layout = LogFormats.LayoutOf(config.Format);
        // Literal: NLog would read ${...} in it.
        FileName = Layout.FromLiteral(_path);
        Encoding = new UTF8Encoding(false);
        LineEnding = LineEndingMode.LF;
        KeepFileOpen = false;
        // A directory that is not there is an error to show, not a typo to build.
        CreateDirs = false;
    }

    /// <summary>False from a failed write to the next one that succeeds.</summary>
    public bool Writable => _writable;

    /// <summary>Shows a wrong path at the start and not with the first record. The other output must be initialized.</summary>
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
            _missing++;
    }

    protected override void RenderFormattedMessage(LogEventInfo logEvent, StringBuilder target)
    {
        // A full disk or a crash may have left half a record, which must not run into this one.
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
            LogEventInfo again = Record(LogLevel.Info, $"The log file {_path} is written again; {Plural.Count(_missing, "record is", "records are")} missing from it.");
            if (!TryWrite(again))
                return;
            _missing = 0;
            _other.WriteAsyncLogEvent(new AsyncLogEventInfo(again, static _ => { }));
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

    /// <summary>Whatever goes wrong stays here: no log call may fail because of the file.</summary>
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
                    Record(LogLevel.Warn, $"The log file {_path} cannot be written: {error.Message.TrimEnd('.')}. Trying again every {RetryInterval.TotalSeconds} seconds."),
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
            // Not there or not ours to read: writing will tell.
            return true;
        }
    }

    private static LogEventInfo Record(LogLevel level, FormattableString message) =>
        new(level, Category, message.ToString(CultureInfo.InvariantCulture));
}
