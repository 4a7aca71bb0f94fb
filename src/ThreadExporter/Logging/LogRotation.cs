using System.Globalization;
using ThreadExporter.Linux;

namespace ThreadExporter.Logging;

/// <summary>
/// Rotation of the log file: <c>exporter.1.log</c> becomes <c>exporter.2.log</c> and so on, then <c>exporter.log</c> becomes
/// <c>exporter.1.log</c>. Only the names from 1 to <paramref name="keep"/> are checked, one by one: no other file in the
/// directory can be renamed, replaced or deleted. An entry with such a name that is not a regular file with the owner of the
/// log file was not created by rotation; it is not touched either, and the rotation fails.
/// </summary>
/// <param name="path">The log file.</param>
/// <param name="maxSize">Size in bytes at which it is rotated.</param>
/// <param name="keep">Number of rotated files to keep; 0: a full file is deleted.</param>
internal sealed class LogRotation(string path, long maxSize, int keep)
{
    // A second daemon that writes the same file may rotate it at the same time, so what was checked may have changed. Each attempt
    // waits 1 ms longer than the previous one, 45 ms in total, so that one of the two succeeds.
    private const int Attempts = 10;

    /// <summary>Rotates a full file.</summary>
    /// <exception cref="IOException">The file is still full. Nothing may be appended to it, or it would grow without limit.</exception>
    public void RotateIfFull()
    {
        string reason = "it has not become smaller";
        for (int attempt = 0; IsFull(); attempt++)
        {
            if (attempt == Attempts)
                throw new IOException("it is full and cannot be rotated: " + reason);
            Thread.Sleep(attempt);
            try
            {
                Rotate();
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                reason = error.Message;
            }
        }
    }

    // Follows symbolic links, as writing does.
    private bool IsFull() => FileIdentity.Read(path) is { Status: ReadStatus.Ok, Size: > 0 } file && file.Size >= (ulong)maxSize;

    private void Rotate()
    {
        uint owner = Examine(path, null)?.Owner ?? throw new FileNotFoundException("it no longer exists");
        if (keep == 0)
        {
            File.Delete(path);
            return;
        }
        // A rotation that failed half-way leaves a gap. It is filled before an old file is replaced, so retries lose nothing.
        int end = 1;
        while (end < keep && Examine(Name(end), owner) is not null)
            end++;
        bool replaces = end == keep && Examine(Name(end), owner) is not null;
        for (int number = end; number > 0; number--)
            DirectoryEntry.Rename(number == 1 ? path : Name(number - 1), Name(number), replace: replaces && number == keep);
    }

    /// <summary>Null: no such file.</summary>
    private static DirectoryEntry? Examine(string path, uint? owner)
    {
        DirectoryEntry entry = DirectoryEntry.Read(path);
        if (entry.Status == ReadStatus.Gone)
            return null;
        string? error = entry switch
        {
            { Status: not ReadStatus.Ok } => "cannot be examined",
            { IsDirectory: true } => "is a directory",
            { IsSymbolicLink: true } => "is a symbolic link",
            { IsRegularFile: false } => "is not a regular file",
            _ when owner is not null && entry.Owner != owner => "belongs to another user",
            _ => null,
        };
        return error is null ? entry : throw new IOException($"{Path.GetFileName(path)} {error}");
    }

    private string Name(int number)
    {
        string extension = Path.GetExtension(path);
        return string.Create(CultureInfo.InvariantCulture, $"{path.AsSpan(0, path.Length - extension.Length)}.{number}{extension}");
    }
}
