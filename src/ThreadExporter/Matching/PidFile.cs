using System.Buffers.Text;
using System.Text;
using ThreadExporter.Linux;
using ThreadExporter.Procfs;

namespace ThreadExporter.Matching;

/// <summary>What the last read of a pidfile has found.</summary>
internal enum PidFileState
{
    /// <summary>A pid.</summary>
    HasPid,
    Missing,
    /// <summary>This process may not read it.</summary>
    Denied,
    /// <summary>It is not a regular file, or its file system fails.</summary>
    Unreadable,
    /// <summary>It does not begin with a number.</summary>
    NoPid,
}

/// <summary>The pid in a pidfile: the number its first line begins with. A file that is missing or holds none is no pid.</summary>
internal sealed class PidFile
{
    /// <summary>How long an answer is kept, so that one pass over all processes reads the file about once.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// A process that started no later than so long after the file was written is the one that it names: clocks of file servers differ, and
    /// NTP corrects the clock a little after boot.
    /// </summary>
    private const long Slack = 60_000_000_000;

    /// <summary>September 2001. A time before it was set by a program, or by a clock that was not set.</summary>
    private const long EarliestCredibleTime = 1_000_000_000_000_000_000;

    private readonly byte[] _path;
    private readonly TimeProvider _time;
    private long _readAt;
    private bool _wasRead;
    private int _pid;
    private long _writtenAt;
    private readonly Func<long> _bootTime;

    /// <param name="path">Relative paths are relative to the current directory of now.</param>
    /// <param name="time">The clock for <see cref="Freshness"/>.</param>
    /// <param name="bootTime">The earliest time at which the kernel may have booted, in nanoseconds since 1970; null: <see cref="BootTime.Earliest"/>.</param>
    public PidFile(string path, TimeProvider time, Func<long>? bootTime = null)
    {
        _bootTime = bootTime ?? BootTime.Earliest;
        Path = System.IO.Path.GetFullPath(path);
        _path = Encoding.UTF8.GetBytes(Path);
        _time = time;
    }

    public string Path { get; }

    /// <summary>How the last read ended.</summary>
    public ReadStatus Status { get; private set; }

    /// <summary>As the file stands, the last process asked about was too young for it: see <see cref="IsOlderThan"/>.</summary>
    public bool IsStale { get; private set; }

    /// <summary>
    /// Whether the file was written before the process of its pid started: its daemon has ended, and the number is another's now. False when in doubt.
    /// </summary>
    /// <remarks>
    /// By the time of modification (mtime), which says when the pid was written even where the file was restored or copied since. A file that
    /// was touched later counts as written then. Start times count from boot and are not moved when the wall clock is set, times of files are
    /// wall clock: so the boot time is subtracted, the earliest that is known, and a clock set forward makes no file too old. One set back
    /// makes files too young, and they match. stat and CLOCK_BOOTTIME are both seen through this process's time namespace.
    /// </remarks>
    public bool IsOlderThan(ulong startTicks)
    {
        long started = (long)startTicks * Clocks.NanosecondsPerTick;
        return IsStale = _writtenAt >= EarliestCredibleTime && started - Slack > _writtenAt - _bootTime();
    }

    /// <summary>The process that was too young has ended: nothing is known of the next one.</summary>
    public void ProcessEnded() => IsStale = false;

    /// <summary>What the last read has found. One without a free descriptor says nothing about the file.</summary>
    public PidFileState State { get; private set; }

    /// <summary>The pid, or 0. It is the writer's view: a pidfile and the procfs root must be of one pid namespace.</summary>
    public int Read()
    {
        long now = _time.GetTimestamp();
        if (_wasRead && _time.GetElapsedTime(_readAt, now) < Freshness)
            return _pid;
        _wasRead = true;
        _readAt = now;
        // A pid has at most 10 digits; the rest is slack for blanks before it. Opened without waiting, so a FIFO cannot hold us.
        Span<byte> buffer = stackalloc byte[64];
        Status = RawFile.ReadOnce(dirFd: -1, _path, buffer, out int length);
        int pid = Status == ReadStatus.Ok ? Parse(buffer[..length]) : 0;
        // After the read: of a file replaced in between the time is too late rather than too early. 0 when it is gone by now.
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
