namespace ThreadExporter.Logging;

/// <summary>Resolves <c>log.file</c>.</summary>
internal static class LogFilePath
{
    private const string Auto = "auto", AutoName = "thread-exporter.log";

    /// <summary>systemd's variable: the directories of <c>LogsDirectory=</c>, separated by colons.</summary>
    public static string? LogsDirectory => Environment.GetEnvironmentVariable("LOGS_DIRECTORY");

    /// <summary>The absolute path; null: no file.</summary>
    /// <param name="setting">The key's value.</param>
    /// <param name="logsDirectory">As <see cref="LogsDirectory"/>.</param>
    public static string? Of(string setting, string? logsDirectory)
    {
        if (setting != Auto)
            return setting.Length == 0 ? null : Path.GetFullPath(setting);
        // systemd sets absolute paths only; a relative one would depend on the working directory.
        string first = logsDirectory?.Split(':')[0] ?? "";
        return Path.IsPathRooted(first) ? Path.Combine(first, AutoName) : null;
    }
}
