namespace ThreadExporter.Procfs;

/// <summary>kill(2).</summary>
public static class Signals
{
    /// <summary>Sends SIGHUP to one process.</summary>
    /// <returns>
    /// <see cref="ReadStatus.Gone"/>: no such process; <see cref="ReadStatus.Denied"/>: not ours to signal;
    /// <see cref="ReadStatus.Other"/>: not a pid (0 and below would mean a group, or every process).
    /// </returns>
    public static ReadStatus SendHangup(int pid)
    {
        if (pid <= 0)
            return ReadStatus.Other;
        return Native.kill(pid, Native.SIGHUP) == 0 ? ReadStatus.Ok : ProcFile.StatusOf(Native.Errno);
    }
}
