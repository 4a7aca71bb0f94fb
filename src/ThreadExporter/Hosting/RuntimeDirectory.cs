using ThreadExporter.Linux;
using ThreadExporter.Procfs;

namespace ThreadExporter.Hosting;

/// <summary>
/// The directory of the reload status files: systemd's RuntimeDirectory=, else one that only the daemon's user can write. Never
/// /tmp, where any user could leave a status file that names another user's process.
/// </summary>
internal static class RuntimeDirectory
{
    private const string Name = "thread-exporter";
    private const string System = "/run/" + Name;

    /// <summary>The directory that this process uses as a daemon.</summary>
    public static string OfThisProcess()
    {
        if (Environment.GetEnvironmentVariable("RUNTIME_DIRECTORY") is { Length: > 0 } directories)
            return directories.Split(':')[0];
        if (Environment.IsPrivilegedProcess)
            return System;
        return Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } session
            ? Path.Combine(session, Name)
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local/state", Name);
    }

    /// <summary>The directories to search for a daemon's status file: the one from the environment, else all standard ones.</summary>
    /// <param name="pid">The daemon's pid, if known: the daemon may belong to another user.</param>
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

    /// <summary>Creates the directory with access for its owner only.</summary>
    public static void Create(string directory) =>
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
}
