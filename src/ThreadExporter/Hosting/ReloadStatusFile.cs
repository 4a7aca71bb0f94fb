using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using ThreadExporter.Linux;
using ThreadExporter.Procfs;
using ThreadExporter.Settings;

namespace ThreadExporter.Hosting;

/// <summary>Result of a daemon's last reload, read by <c>thread-exporter reload</c>.</summary>
internal sealed record ReloadStatus
{
    public required int Pid { get; init; }

    /// <summary>Start time of the daemon in clock ticks since boot, to detect a reused pid.</summary>
    public required ulong ProcessStart { get; init; }

    /// <summary>CLOCK_MONOTONIC nanoseconds when the reload started.</summary>
    public required long StartedAt { get; init; }

    public required string[] Errors { get; init; }

    public required string[] RestartKeys { get; init; }

    /// <summary>Path at which no configuration file was found; null when one was read. Not required: older daemons do not write it.</summary>
    public string? NoFileAt { get; init; }
}

[JsonSerializable(typeof(ReloadStatus))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
internal sealed partial class ReloadStatusJson : JsonSerializerContext;

/// <summary>The file <c>PID.json</c> in the runtime directory: replaced atomically, readable by its owner only.</summary>
internal sealed class ReloadStatusFile(string directory)
{
    private readonly string _path = Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}.json"));
    private readonly ulong _processStart = ReadProcessStart(Environment.ProcessId) ?? 0;
    private bool _written;

    public bool TryWrite(ReloadResult result, string? path, [NotNullWhen(false)] out string? error)
    {
        ReloadStatus status = new()
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
            Replace(status);
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
        // A file with that name, if any, was not written by this process.
        if (!_written)
            return;
        try
        {
            File.Delete(_path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Harmless: no later process has the start time that is in the file.
        }
    }

    /// <summary>Reads a status file. Null when there is none, or its process no longer exists.</summary>
    public static ReloadStatus? TryRead(string path)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            ReloadStatus? status = JsonSerializer.Deserialize(stream, ReloadStatusJson.Default.ReloadStatus);
            return status is not null && ReadProcessStart(status.Pid) == status.ProcessStart ? status : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    private void Replace(ReloadStatus status)
    {
        // Always a new file with a name that no other process uses: in a container any user may write to this directory, and what
        // they put there (a link to another file, a FIFO) must not be opened.
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
                JsonSerializer.Serialize(stream, status, ReloadStatusJson.Default.ReloadStatus);
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
