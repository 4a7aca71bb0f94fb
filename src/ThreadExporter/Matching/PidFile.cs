using System.Buffers.Text;
using System.Text;
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

    private readonly byte[] _path;
    private readonly TimeProvider _time;
    private long _readAt;
    private bool _wasRead;
    private int _pid;

    /// <param name="path">Relative paths are relative to the current directory of now.</param>
    /// <param name="time">The clock for <see cref="Freshness"/>.</param>
    public PidFile(string path, TimeProvider time)
    {
        Path = System.IO.Path.GetFullPath(path);
        _path = Encoding.UTF8.GetBytes(Path);
        _time = time;
    }

    public string Path { get; }

    /// <summary>How the last read ended.</summary>
    public ReadStatus Status { get; private set; }

    /// <summary>What the last read has found. One without a free descriptor says nothing about the file.</summary>
    public PidFileState State { get; private set; }

    /// <summary>The pid, or 0. It is the writer's view: a pidfile and the procfs root must be of one pid namespace.</summary>
    public int Read()
    {
        var now = _time.GetTimestamp();
        if (_wasRead && _time.GetElapsedTime(_readAt, now) < Freshness)
            return _pid;
        _wasRead = true;
        _readAt = now;
        // A pid has at most 10 digits; the rest is slack for blanks before it. Opened without waiting, so a FIFO cannot hold us.
        Span<byte> buffer = stackalloc byte[64];
        Status = ProcFile.ReadOnce(dirFd: -1, _path, buffer, out var length);
        _pid = Status == ReadStatus.Ok ? Parse(buffer[..length]) : 0;
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
