using ThreadExporter.Linux;
using ThreadExporter.Procfs;

namespace ThreadExporter.Hosting;

/// <summary>
/// Where a daemon leaves its verdicts: systemd's RuntimeDirectory=, else a place that only its user can write. Never /tmp,
/// where anybody could leave a verdict that names somebody else's process.
/// </summary>
internal static class RuntimeDirectory
{
    private const string Name = "thread-exporter";
    private const string System = "/run/" + Name;

    /// <summary>The directory of a daemon that this process is.</summary>
    public static string OfThisProcess()
    {
        if (Environment.GetEnvironmentVariable("RUNTIME_DIRECTORY") is { Length: > 0 } given)
            return given.Split(':')[0];
        if (Environment.IsPrivilegedProcess)
            return System;
        return Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } session
            ? Path.Combine(session, Name)
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local/state", Name);
    }

    /// <summary>The directories to look in for the verdict of a daemon: the one that the environment names, else all usual ones.</summary>
    /// <param name="pid">The daemon, when it is known: it may be another user's.</param>
    public static IEnumerable<string> ToSearch(int? pid)
    {
        if (Environment.GetEnvironmentVariable("RUNTIME_DIRECTORY") is { Length: > 0 })
            return [OfThisProcess()];
        List<string> directories = [OfThisProcess(), System];
        Span<byte> buffer = stackalloc byte[4096];
        Span<byte> path = stackalloc byte[64];
        if (pid is { } known
            && RawFile.ReadOnce(-1, ProcPath.Format(path, "/proc/"u8, known, "/status"u8), buffer, out int length) == ReadStatus.Ok
            && ProcStatus.TryParse(buffer[..length], out ProcStatus status))
        {
            directories.Add($"/run/user/{status.EffectiveUid}/{Name}");
        }
        return directories.Distinct();
    }

    /// <summary>Makes the directory for its owner alone.</summary>
    public static void Create(string directory) =>
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
}
