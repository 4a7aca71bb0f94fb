using System.Text;
using ThreadExporter.Procfs;
using ThreadExporter.Toml;

namespace ThreadExporter.Configuration;

/// <summary>Reads a file's bytes, whatever stands at its path: never waits for a FIFO, never takes in a huge file.</summary>
internal static class ConfigFile
{
    /// <summary>Null, or why there are no bytes.</summary>
    public static string? Read(string path, out ReadOnlyMemory<byte> content)
    {
        var buffer = new byte[TomlDocument.MaxBytes + 1];
        var fault = Read(path, buffer, out var length);
        content = buffer.AsMemory(0, length);
        return fault;
    }

    /// <summary>The same into a buffer, which must be one byte longer than the longest file that is taken.</summary>
    public static string? Read(string path, Span<byte> buffer, out int length)
    {
        length = 0;
        var name = Encoding.UTF8.GetBytes(Path.GetFullPath(path));
        if (name.Length > ProcFile.MaxPathLength || name.Contains((byte)0))
            return FormattableString.Invariant($"the path is longer than {ProcFile.MaxPathLength} bytes");
        var status = ProcFile.ReadOnce(dirFd: -1, name, buffer, out length);
        if (status == ReadStatus.Ok && length == buffer.Length)
            return FormattableString.Invariant($"the file is longer than {buffer.Length - 1} bytes");
        return status switch
        {
            ReadStatus.Ok => null,
            ReadStatus.Gone => "no such file",
            ReadStatus.Denied => "permission denied",
            ReadStatus.NoDescriptors => "too many open files",
            _ => Directory.Exists(path) ? "is a directory" : "is not a regular file or cannot be read",
        };
    }
}
