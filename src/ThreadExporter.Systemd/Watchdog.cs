using System.Globalization;

namespace ThreadExporter.Systemd;

/// <summary>The watchdog timeout systemd set for this process. Source: sd_watchdog_enabled(3).</summary>
public static class Watchdog
{
    /// <summary>
    /// <c>WatchdogSec=</c>, or null when this process has no watchdog. Send <see cref="ServiceStates.WatchdogAlive"/>
    /// at least twice in that time.
    /// </summary>
    public static TimeSpan? Timeout => Parse(
        Environment.GetEnvironmentVariable("WATCHDOG_USEC"), Environment.GetEnvironmentVariable("WATCHDOG_PID"), Environment.ProcessId);

    /// <param name="microseconds">Value of <c>WATCHDOG_USEC</c>, or null.</param>
    /// <param name="pid">Value of <c>WATCHDOG_PID</c>, or null: a child process inherits the variables, but not the watchdog.</param>
    /// <param name="ownPid">The pid of this process.</param>
    public static TimeSpan? Parse(string? microseconds, string? pid, int ownPid)
    {
        if (!string.IsNullOrEmpty(pid)
            && !(int.TryParse(pid, NumberStyles.None, CultureInfo.InvariantCulture, out int owner) && owner == ownPid))
            return null;
        // All ones is systemd's "infinity". A value that does not fit in a TimeSpan means no watchdog.
        return ulong.TryParse(microseconds, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value)
            && value is > 0 and <= long.MaxValue / TimeSpan.TicksPerMicrosecond
            ? TimeSpan.FromTicks((long)value * TimeSpan.TicksPerMicrosecond)
            : null;
    }
}
