using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using ThreadExporter.Linux;
using ThreadExporter.Procfs;
using ThreadExporter.Settings;

namespace ThreadExporter.Hosting;

/// <summary>What a daemon says of its last reload, for <c>thread-exporter reload</c> to read.</summary>
internal sealed record ReloadStatus
{
    public required int Pid { get; init; }

    /// <summary>Start of the daemon in clock ticks since boot: a reused pid is not taken for it.</summary>
    public required ulong ProcessStart { get; init; }

    /// <summary>CLOCK_MONOTONIC nanoseconds when the reload began.</summary>
    public required long StartedAt { get; init; }

    public required string[] Errors { get; init; }

    public required string[] RestartKeys { get; init; }

    /// <summary>Where no configuration file was found; null when one was read. Not required: a daemon of an older version does not say it.</summary>
    public string? NoFileAt { get; init; }
}

[JsonSerializable(typeof(ReloadStatus))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
internal sealed partial class ReloadStatusJson : JsonSerializerContext;

/// <summary>The verdict's file <c>PID.json</c> in the runtime directory, replaced atomically, readable by its owner.</summary>
internal sealed class ReloadStatusFile(string directory)
{
    private readonly string _path = Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}.json"));
    private readonly ulong _processStart = ReadProcessStart(Environment.ProcessId) ?? 0;
    private bool _written;

    public bool TryWrite(ReloadResult result, string? path, [NotNullWhen(false)] out string? error)
    {
        ReloadStatus verdict = new()
        {
            Pid = Environment.ProcessId,
            ProcessStart = _processStart,
            StartedAt = result.StartedAt,
            Errors = [.. result.Errors.Select(e => e.ToString())],
            RestartKeys = [.. result.RestartKeys],
            NoFileAt = result.IsWithoutFile ? path : null,
        };
        error = null;
        try
        {
            RuntimeDirectory.Create(directory);
            Replace(verdict);
            _written = true;
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error = e.Message;
            return false;
        }
    }

    public void Delete()
    {
        // Then a file of that name is not of this process.
        if (!_written)
            return;
        try
        {
            File.Delete(_path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It names a process start that no later process has; a left-over misleads nobody.
        }
    }

    /// <summary>A verdict from a directory; null when there is none, or it is of a process that is gone.</summary>
    public static ReloadStatus? TryRead(string path)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            ReloadStatus? verdict = JsonSerializer.Deserialize(stream, ReloadStatusJson.Default.ReloadStatus);
            return verdict is not null && ReadProcessStart(verdict.Pid) == verdict.ProcessStart ? verdict : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    private void Replace(ReloadStatus verdict)
    {
        // Always a new file, of a name that no other process uses: in a container anybody may write to this directory, and what
        // they put in the way (a link to another file, a FIFO) must not be opened.
        string temporary = string.Create(CultureInfo.InvariantCulture, $"{_path}.{_processStart}.new");
        FileStreamOptions options = new()
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        FileStream stream = new(temporary, options);
        try
        {
            using (stream)
                JsonSerializer.Serialize(stream, verdict, ReloadStatusJson.Default.ReloadStatus);
            File.Move(temporary, _path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private static ulong? ReadProcessStart(int pid)
    {
        Span<byte> buffer = stackalloc byte[1024];
        Span<byte> path = stackalloc byte[64];
        return RawFile.ReadOnce(-1, ProcPath.Format(path, "/proc/"u8, pid, "/stat"u8), buffer, out int length) == ReadStatus.Ok
            && ProcStat.TryParse(buffer[..length], out ProcStat stat) ? stat.StartTicks : null;
    }
}
