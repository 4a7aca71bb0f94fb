using System.Globalization;
using ThreadExporter.Linux;

namespace ThreadExporter.Logging;

/// <summary>
/// Rotation of the log file: <c>exporter.1.log</c> becomes <c>exporter.2.log</c> and so on, then <c>exporter.log</c> becomes
/// <c>exporter.1.log</c>. Only the names from 1 to <paramref name="keep"/> are ever looked at, one by one: no other file of
/// the directory can be renamed, replaced or deleted. What has such a name but is not a regular file with the owner of the
/// log file was not made by a rotation; it is not touched either, and the rotation fails.
/// </summary>
/// <param name="path">The log file.</param>
/// <param name="maxSize">Bytes from which it is rotated.</param>
/// <param name="keep">How many rotated files are kept; 0: a full file is deleted.</param>
internal sealed class LogRotation(string path, long maxSize, int keep)
{
    // A second daemon that writes the same file may rotate it at the same time: what was found is no longer so. Each attempt waits a
    // millisecond longer than the one before, 45 in all, so that one of the two gets through.
    private const int Attempts = 10;

    /// <summary>Rotates a full file.</summary>
    /// <exception cref="IOException">It is still full. Nothing may be appended to it, or it would grow without end.</exception>
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

    // As writing does, this follows symbolic links.
    private bool IsFull() => FileIdentity.Read(path) is { Status: ReadStatus.Ok, Size: > 0 } file && file.Size >= (ulong)maxSize;

    private void Rotate()
    {
        uint owner = Examine(path, null)?.Owner ?? throw new FileNotFoundException("it is gone");
        if (keep == 0)
        {
            File.Delete(path);
            return;
        }
        // A gap, which a rotation that failed half-way leaves, is filled before anything old is replaced: retries lose nothing.
        int end = 1;
        while (end < keep && Examine(Name(end), owner) is not null)
            end++;
        bool replaces = end == keep && Examine(Name(end), owner) is not null;
        for (int number = end; number > 0; number--)
            DirectoryEntry.Rename(number == 1 ? path : Name(number - 1), Name(number), replace: replaces && number == keep);
    }

    /// <summary>Null: there is no such file.</summary>
    private static DirectoryEntry? Examine(string path, uint? owner)
    {
        DirectoryEntry entry = DirectoryEntry.Read(path);
        if (entry.Status == ReadStatus.Gone)
            return null;
        string? fault = entry switch
        {
            { Status: not ReadStatus.Ok } => "cannot be examined",
            { IsDirectory: true } => "is a directory",
            { IsSymbolicLink: true } => "is a symbolic link",
            { IsRegularFile: false } => "is not a regular file",
            _ when owner is not null && entry.Owner != owner => "belongs to another user",
            _ => null,
        };
        return fault is null ? entry : throw new IOException($"{Path.GetFileName(path)} {fault}");
    }

    private string Name(int number)
    {
        string extension = Path.GetExtension(path);
        return string.Create(CultureInfo.InvariantCulture, $"{path.AsSpan(0, path.Length - extension.Length)}.{number}{extension}");
    }
}
