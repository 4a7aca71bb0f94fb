using System.Diagnostics;
using System.Text;
using ThreadExporter.Linux;
using ThreadExporter.Toml;

namespace ThreadExporter.Configuration;

/// <summary>
/// Reads the file's bytes, whatever stands at its path: never waits for a FIFO, never takes in a huge file, never takes
/// half of one that is being written (docs/decisions/0004).
/// </summary>
internal static class ConfigFile
{
    /// <summary>
    /// A file that was changed within it may be about to be changed again: editors and shells write in place and in pieces,
    /// and the end of a piece can look like the end of the file.
    /// </summary>
    private static readonly TimeSpan SettleTime = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);

    /// <summary>Null, or why there are no bytes.</summary>
    /// <param name="path">The file.</param>
    /// <param name="content">Its bytes, all of one version.</param>
    /// <param name="file">What stood at the path before and after the bytes were read.</param>
    public static string? Read(string path, out ReadOnlyMemory<byte> content, out FileIdentity file)
    {
        string fullPath = Path.GetFullPath(path);
        long begin = Stopwatch.GetTimestamp();
        while (true)
        {
            file = FileIdentity.Read(fullPath);
            if (IsSettled(file))
            {
                string? fault = ReadOnce(fullPath, file, out content);
                if (FileIdentity.Read(fullPath) == file)
                    return fault;
            }
            if (Stopwatch.GetElapsedTime(begin) > Timeout)
            {
                content = default;
                return FormattableString.Invariant($"is being written: it has kept changing for {Timeout.TotalSeconds} s");
            }
            Thread.Sleep(Interval);
        }
    }

    /// <summary>Whether nothing at all stands at the path. A dangling symbolic link is something, and so is what may not be looked at.</summary>
    public static bool IsMissing(string path) =>
        FileIdentity.Read(Path.GetFullPath(path)).Status == ReadStatus.Gone && new FileInfo(path).LinkTarget is null;

    // A change time ahead of our clock (a file server's, or the clock was set) says nothing.
    private static bool IsSettled(FileIdentity file)
    {
        TimeSpan age = DateTime.UtcNow - DateTime.UnixEpoch.AddTicks(file.ChangedAt / TimeSpan.NanosecondsPerTick);
        return age < TimeSpan.Zero || age >= SettleTime;
    }

    private static string? ReadOnce(string path, FileIdentity file, out ReadOnlyMemory<byte> content)
    {
        content = default;
        if (Validate(path, file, TomlDocument.MaxBytes) is { } refusal)
            return refusal;
        byte[] buffer = new byte[file.Size + 1];
        string? fault = ReadInto(path, file, buffer, out int length);
        content = buffer.AsMemory(0, length);
        return fault;
    }

    /// <summary>
    /// Reads a file that is complete at any time, because whoever writes it puts it there by rename, into a buffer, which must be one
    /// byte longer than the longest file that is taken. Null, or why there are no bytes.
    /// </summary>
    public static string? Read(string path, Span<byte> buffer, out int length)
    {
        length = 0;
        string fullPath = Path.GetFullPath(path);
        FileIdentity file = FileIdentity.Read(fullPath);
        return Validate(fullPath, file, buffer.Length - 1) ?? ReadInto(fullPath, file, buffer, out length);
    }

    /// <summary>Null, or why the file is not even opened.</summary>
    private static string? Validate(string path, FileIdentity file, int maxBytes)
    {
        if (Encoding.UTF8.GetByteCount(path) > RawFile.MaxPathLength || path.Contains('\0', StringComparison.Ordinal))
            return FormattableString.Invariant($"the path is longer than {RawFile.MaxPathLength} bytes");
        if (file.IsDirectory)
            return "is a directory";
        if (file.Status == ReadStatus.Ok && !file.IsRegularFile)
            return "is not a regular file";
        return file.Size > (ulong)maxBytes ? FormattableString.Invariant($"the file is longer than {maxBytes} bytes") : null;
    }

    private static string? ReadInto(string path, FileIdentity file, Span<byte> buffer, out int length)
    {
        length = 0;
        ReadStatus status = file.Status == ReadStatus.Ok ? RawFile.ReadOnce(dirFd: -1, Encoding.UTF8.GetBytes(path), buffer, out length) : file.Status;
        // As in /proc, whose files have no size.
        if (length == buffer.Length)
            return "is longer than its size says";
        return status switch
        {
            ReadStatus.Ok => null,
            ReadStatus.Gone => new FileInfo(path).LinkTarget is null ? "no such file" : "no such file: the path is a dangling symbolic link",
            ReadStatus.Denied => "permission denied",
            ReadStatus.NoDescriptors => "too many open files",
            _ => new FileInfo(path).LinkTarget is null ? "cannot be read" : "is a symbolic link that leads in a circle, or cannot be read",
        };
    }
}
