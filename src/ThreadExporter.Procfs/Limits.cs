using System.Buffers.Text;

namespace ThreadExporter.Procfs;

/// <summary><c>/proc/self/limits</c> of this process, see proc_pid_limits(5).</summary>
public static class Limits
{
    /// <summary>The soft limit of open files (RLIMIT_NOFILE); <see cref="long.MaxValue"/> when unlimited or not readable.</summary>
    public static long MaxOpenFiles()
    {
        Span<byte> buffer = stackalloc byte[4096];
        return ProcFile.ReadOnce(-100, "/proc/self/limits"u8, buffer, out int length) == ReadStatus.Ok
            ? ParseMaxOpenFiles(buffer[..length])
            : long.MaxValue;
    }

    /// <summary>The soft limit in the line <c>Max open files</c>; <see cref="long.MaxValue"/> when it is unlimited or missing.</summary>
    public static long ParseMaxOpenFiles(ReadOnlySpan<byte> text)
    {
        ReadOnlySpan<byte> key = "Max open files"u8;
        int at = text.IndexOf(key);
        if (at < 0)
            return long.MaxValue;
        ReadOnlySpan<byte> value = text[(at + key.Length)..].TrimStart((byte)' ');
        return Utf8Parser.TryParse(value, out long limit, out _) ? limit : long.MaxValue;
    }
}
