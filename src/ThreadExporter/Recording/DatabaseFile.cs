using System.Buffers.Binary;
using System.Globalization;
using ThreadExporter.Linux;

namespace ThreadExporter.Recording;

/// <summary>
/// The file of the database, before SQLite opens it: it is made, or it is found to be one of ours. A file that is not is moved aside, never deleted and
/// never overwritten.
/// </summary>
/// <param name="path">Its absolute path.</param>
/// <param name="time">The clock for the names of files that are moved aside.</param>
internal sealed class DatabaseFile(string path, TimeProvider time)
{
    /// <summary>"tEre" in the header of the file: PRAGMA application_id.</summary>
    public const int ApplicationId = 0x74457265;

    /// <summary>The version of the tables: PRAGMA user_version.</summary>
    public const int SchemaVersion = 1;

    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    /// <summary>Files that may be moved aside before a person has to look at them.</summary>
    private const int MostAside = 3;

    // The header of a database: https://www.sqlite.org/fileformat.html
    private const int HeaderLength = 100, UserVersionAt = 60, ApplicationIdAt = 68;
    private static readonly string[] Suffixes = ["", "-wal", "-shm", "-journal"];

    public string Path => path;

    /// <summary>Makes sure that there is a file that SQLite may open: an empty one, or one of ours.</summary>
    /// <param name="movedTo">Where a damaged file, or another's, was moved to; null: none was.</param>
    /// <exception cref="IOException">There is none. The message is one line with the fix.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory or the file may not be used.</exception>
    public void Prepare(out string? movedTo)
    {
        movedTo = null;
        string directory = System.IO.Path.GetDirectoryName(path)!;
        if (!Directory.Exists(directory))
            throw new IOException($"no directory {directory}: create it, or set recorder.directory");
        // A link could lead out of the directory.
        foreach (string suffix in Suffixes)
        {
            if (Exists(path + suffix) && !FileIdentity.ReadLink(path + suffix).IsRegularFile)
                throw new IOException($"{path}{suffix} is not a regular file: remove it, or set recorder.directory");
        }
        if (Exists(path) && !IsUsable(out int version))
        {
            if (version > SchemaVersion)
                throw new IOException($"{path} was written by a newer version of thread-exporter: remove it, or set recorder.directory");
            movedTo = MoveAside();
        }
        if (!Exists(path))
            new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Mode }).Dispose();
        // Whatever the umask is. SQLite gives its other files the same mode.
        File.SetUnixFileMode(path, Mode);
    }

    /// <summary>Moves the database and what belongs to it out of the way.</summary>
    /// <returns>Its new path.</returns>
    /// <exception cref="IOException">There are too many such files already.</exception>
    public string MoveAside()
    {
        string[] aside = Directory.GetFiles(System.IO.Path.GetDirectoryName(path)!, System.IO.Path.GetFileName(path) + ".damaged-*Z");
        if (aside.Length >= MostAside)
            throw new IOException($"{path} is damaged or another program's, and so are {aside.Length} others beside it: remove {path}.damaged-*");
        string target = path + ".damaged-" + time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        foreach (string suffix in Suffixes)
        {
            if (Exists(path + suffix))
                File.Move(path + suffix, target + suffix, overwrite: false);
        }
        return target;
    }

    /// <summary>Whether it has no tables yet.</summary>
    public bool IsEmpty => FileIdentity.Read(path).Size == 0;

    /// <summary>Which file has the path now.</summary>
    public (ulong Device, ulong Inode) Identity
    {
        get
        {
            FileIdentity file = FileIdentity.Read(path);
            return (file.Device, file.Inode);
        }
    }

    /// <summary>Bytes of the file and of what belongs to it.</summary>
    public long Size()
    {
        long size = 0;
        foreach (string suffix in Suffixes)
            size += (long)FileIdentity.Read(path + suffix).Size;
        return size;
    }

    // Also a link that leads nowhere.
    private static bool Exists(string file) => FileIdentity.ReadLink(file).Status != ReadStatus.Gone;

    /// <summary>Whether it is empty or one of ours, as far as its header says. The header is complete before anything is in the log.</summary>
    /// <param name="version">The version of its tables; 0 when it is not ours.</param>
    private bool IsUsable(out int version)
    {
        version = 0;
        byte[] header = new byte[HeaderLength];
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        int length = file.ReadAtLeast(header, HeaderLength, throwOnEndOfStream: false);
        if (length == 0)
            return true;
        if (length < HeaderLength || !header.AsSpan().StartsWith("SQLite format 3\0"u8) || BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(ApplicationIdAt)) != ApplicationId)
            return false;
        version = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(UserVersionAt));
        return version == SchemaVersion;
    }
}
