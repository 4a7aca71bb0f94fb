using ThreadExporter.Configuration;
using ThreadExporter.Linux;

namespace ThreadExporter.Recording;

/// <summary>Where the database is, and whether there can be one.</summary>
internal static class RecorderDirectory
{
    private const string Auto = "auto", FileName = "recorder.db";

    /// <summary>systemd's variable: the directories of <c>StateDirectory=</c>, separated by colons.</summary>
    public static string? StateDirectory => Environment.GetEnvironmentVariable("STATE_DIRECTORY");

    /// <summary>Finds the database without opening or making anything.</summary>
    /// <param name="config">The table <c>[recorder]</c>.</param>
    /// <param name="stateDirectory">As <see cref="StateDirectory"/>.</param>
    /// <param name="whyNot">Why there is none, one line; empty: there is one.</param>
    /// <param name="library">The file of the SQLite library.</param>
    /// <returns>The absolute path; null: nothing is recorded.</returns>
    public static string? FileOf(RecorderConfig config, string? stateDirectory, out string whyNot, string library = SqliteDatabase.Library)
    {
        string? directory = config.Directory;
        if (directory == Auto)
        {
            // systemd sets absolute paths only; a relative one would depend on the working directory.
            string first = stateDirectory?.Split(':')[0] ?? "";
            directory = Path.IsPathRooted(first) ? first : null;
        }
        whyNot = directory is null ? "systemd gives no directory (STATE_DIRECTORY), and recorder.directory names none"
            : !SharedLibrary.Exists(library) ? $"this system has no {library} (package sqlite-libs or libsqlite3-0)"
            : "";
        return whyNot.Length > 0 ? null : Path.Combine(Path.GetFullPath(directory!), FileName);
    }

    /// <summary>The line that <c>check</c> prints.</summary>
    public static string Describe(RecorderConfig config, string? stateDirectory)
    {
        if (!config.Enabled)
            return "recorder: off (recorder.enabled)";
        return FileOf(config, stateDirectory, out string whyNot) is { } file ? $"recorder: {file}" : $"recorder: off, {whyNot}";
    }
}
