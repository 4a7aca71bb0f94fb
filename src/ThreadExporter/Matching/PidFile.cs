using System.Buffers.Text;
using System.Text;
using ThreadExporter.Linux;
using ThreadExporter.Procfs;

namespace ThreadExporter.Matching;

/// <summary>The result of the last read of a pidfile.</summary>
internal enum PidFileState
{
    /// <summary>It contains a pid.</summary>
    HasPid,
    Missing,
    /// <summary>Permission denied.</summary>
    Denied,
    /// <summary>It is not a regular file, or reading failed.</summary>
    Unreadable,
    /// <summary>It does not start with a number.</summary>
    NoPid,
}

/// <summary>The pid in a pidfile: the number at the start of its first line. 0: the file is missing or has no number.</summary>
internal sealed class PidFile
{
    /// <summary>How long a result is cached, so that one pass over all processes reads the file about once.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// How much later than the write of the file its process may have started: clocks of file servers differ, and NTP corrects the clock a
    /// little after boot.
    /// </summary>
    private const long Slack = 60_000_000_000;

    /// <summary>September 2001. An earlier time was set by a program, or comes from a clock that was not set.</summary>
    private const long EarliestCredibleTime = 1_000_000_000_000_000_000;

    private readonly byte[] _path;
    private readonly TimeProvider _time;
    private long _readAt;
    private bool _wasRead;
    private int _pid;
    private long _writtenAt;
    private readonly Func<long> _bootTime;

    /// <param name="path">A relative path is relative to the current directory at this call.</param>
    /// <param name="time">The clock for <see cref="Freshness"/>.</param>
    /// <param name="bootTime">The earliest time the kernel may have booted, in nanoseconds since 1970; null: <see cref="BootTime.Earliest"/>.</param>
    public PidFile(string path, TimeProvider time, Func<long>? bootTime = null)
    {
        _bootTime = bootTime ?? BootTime.Earliest;
        Path = System.IO.Path.GetFullPath(path);
        _path = Encoding.UTF8.GetBytes(Path);
        _time = time;
    }

    public string Path { get; }

    /// <summary>The status of the last read.</summary>
    public ReadStatus Status { get; private set; }

    /// <summary>The process that was last compared with the current file started too late: see <see cref="IsOlderThan"/>.</summary>
    public bool IsStale { get; private set; }

    /// <summary>
    /// Whether the file was written before the process with its pid started: then its daemon has exited, and the pid was reused. False when
    /// in doubt.
    /// </summary>
    /// <remarks>
    /// Uses the modification time (mtime), which is the time when the pid was written even if the file was restored or copied later. A file
    /// that was touched later counts as written then. Start times count from boot and do not change when the wall clock is set; times of
    /// files are wall clock times. So the earliest known boot time is subtracted: setting the clock forward makes no file too old. Setting it
    /// back makes files too new, and they match. stat and CLOCK_BOOTTIME are both relative to this process's time namespace.
    /// </remarks>
    public bool IsOlderThan(ulong startTicks)
    {
        long started = (long)startTicks * Clocks.NanosecondsPerTick;
        return IsStale = _writtenAt >= EarliestCredibleTime && started - Slack > _writtenAt - _bootTime();
    }

    /// <summary>The process that started too late has exited; nothing is known about the next one.</summary>
    public void ProcessEnded() => IsStale = false;

    /// <summary>The result of the last read. A read that failed for want of a descriptor does not change it.</summary>
    public PidFileState State { get; private set; }

    /// <summary>The pid, or 0. It is as seen by the writer: the pidfile and the procfs must be of the same pid namespace.</summary>
    public int Read()
    {
        long now = _time.GetTimestamp();
        if (_wasRead && _time.GetElapsedTime(_readAt, now) < Freshness)
            return _pid;
        _wasRead = true;
        _readAt = now;
        // A pid has at most 10 digits; the rest is room for spaces before it. Opened with O_NONBLOCK, so a FIFO cannot block.
        Span<byte> buffer = stackalloc byte[64];
        Status = RawFile.ReadOnce(dirFd: -1, _path, buffer, out int length);
        int pid = Status == ReadStatus.Ok ? Parse(buffer[..length]) : 0;
        // After the read: if the file was replaced in between, the time is too late rather than too early. 0 when the file is gone.
        long writtenAt = pid > 0 ? FileIdentity.Read(Path).ModifiedAt : 0;
        IsStale &= pid == _pid && writtenAt == _writtenAt;
        (_pid, _writtenAt) = (pid, writtenAt);
        State = Status switch
        {
            ReadStatus.Ok => _pid > 0 ? PidFileState.HasPid : PidFileState.NoPid,
            ReadStatus.Gone => PidFileState.Missing,
            ReadStatus.Denied => PidFileState.Denied,
            ReadStatus.NoDescriptors => State,
            _ => PidFileState.Unreadable,
        };
        return _pid;
    }

    private static int Parse(ReadOnlySpan<byte> text)
    {
        text = text.TrimStart(" \t"u8);
        return Utf8Parser.TryParse(text, out int pid, out _) && pid > 0 ? pid : 0;
    }
}
