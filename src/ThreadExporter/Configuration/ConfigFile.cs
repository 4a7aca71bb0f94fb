using System.Diagnostics;
using System.Text;
using ThreadExporter.Linux;
using ThreadExporter.Toml;

namespace ThreadExporter.Configuration;

/// <summary>
/// Reads the bytes of a file, whatever the path is: never waits for a FIFO, never reads a huge file, never returns half of a file that is
/// being written (docs/decisions/0004).
/// </summary>
internal static class ConfigFile
{
    /// <summary>
    /// How long a file must be unchanged before it is read. Editors and shells write in place and in pieces, and the end of a piece can look
    /// like the end of the file.
    /// </summary>
    private static readonly TimeSpan SettleTime = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);

    /// <summary>Waits until the file no longer changes, and reads it. Null, or why it cannot be read.</summary>
    /// <param name="path">The file.</param>
    /// <param name="content">Its bytes, all of one version of the file.</param>
    /// <param name="file">The file's identity, the same before and after it was read.</param>
    public static string? Read(string path, out ReadOnlyMemory<byte> content, out FileIdentity file)
    {
        string fullPath = Path.GetFullPath(path);
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            file = FileIdentity.Read(fullPath);
            if (IsSettled(file))
            {
                string? error = ReadOnce(fullPath, file, out content);
                if (FileIdentity.Read(fullPath) == file)
                    return error;
            }
            if (Stopwatch.GetElapsedTime(start) > Timeout)
            {
                content = default;
                return FormattableString.Invariant($"keeps changing ({Timeout.TotalSeconds} s)");
            }
            Thread.Sleep(Interval);
        }
    }

    /// <summary>Whether the path does not exist. A dangling symbolic link exists, and so does a file that may not be looked up.</summary>
    public static bool IsMissing(string path) => FileIdentity.ReadLink(Path.GetFullPath(path)).Status == ReadStatus.Gone;

    // A change time in the future (a file server's clock, or the clock was set back) says nothing.
    private static bool IsSettled(FileIdentity file)
    {
        TimeSpan age = DateTime.UtcNow - DateTime.UnixEpoch.AddTicks(file.ChangedAt / TimeSpan.NanosecondsPerTick);
        return age < TimeSpan.Zero || age >= SettleTime;
    }

    private static string? ReadOnce(string path, FileIdentity file, out ReadOnlyMemory<byte> content)
    {
        content = default;
        string? error = Validate(path, file, TomlDocument.MaxBytes);
        if (error is not null)
            return error;
        byte[] buffer = new byte[file.Size + 1];
        error = ReadInto(path, file, buffer, out int length);
        content = buffer.AsMemory(0, length);
        return error;
    }

    /// <summary>
    /// Reads a file that is replaced atomically, by rename. <paramref name="buffer"/> must be one byte longer than the largest accepted file.
    /// Null, or why the file cannot be read.
    /// </summary>
    public static string? Read(string path, Span<byte> buffer, out int length)
    {
        length = 0;
        string fullPath = Path.GetFullPath(path);
        FileIdentity file = FileIdentity.Read(fullPath);
        return Validate(fullPath, file, buffer.Length - 1) ?? ReadInto(fullPath, file, buffer, out length);
    }

    /// <summary>Null, or why the file must not be opened.</summary>
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
        ReadStatus status = file.Status == ReadStatus.Ok
            ? RawFile.ReadOnce(dirFd: -1, Encoding.UTF8.GetBytes(path), buffer, out length)
            : file.Status;
        // Files in /proc, for example, have size 0.
        if (length == buffer.Length)
            return "is longer than its reported size";
        return status switch
        {
            ReadStatus.Ok => null,
            ReadStatus.Gone => FileIdentity.ReadLink(path).IsSymbolicLink ? "no such file: the path is a dangling symbolic link" : "no such file",
            ReadStatus.Denied => "permission denied",
            ReadStatus.NoDescriptors => "too many open files",
            _ => FileIdentity.ReadLink(path).IsSymbolicLink ? "cannot be read, or has too many levels of symbolic links" : "cannot be read",
        };
    }
}
