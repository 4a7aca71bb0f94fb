using System.Globalization;

namespace ThreadExporter.Systemd;

/// <summary>The watchdog timeout systemd set for this process. Source: sd_watchdog_enabled(3).</summary>
public static class Watchdog
{
    /// <summary>
    /// <c>WatchdogSec=</c>, or null when no watchdog waits for this process. Send <see cref="ServiceStates.WatchdogAlive"/>
    /// at least twice in that time.
    /// </summary>
    public static TimeSpan? Timeout => Parse(
        Environment.GetEnvironmentVariable("WATCHDOG_USEC"), Environment.GetEnvironmentVariable("WATCHDOG_PID"), Environment.ProcessId);

    /// <param name="microseconds">Value of <c>WATCHDOG_USEC</c>, or null.</param>
    /// <param name="pid">Value of <c>WATCHDOG_PID</c>, or null: a child inherits the variables, but the watchdog is its parent's.</param>
    /// <param name="ownPid">The process that asks.</param>
    public static TimeSpan? Parse(string? microseconds, string? pid, int ownPid)
    {
        if (!string.IsNullOrEmpty(pid)
            && !(int.TryParse(pid, NumberStyles.None, CultureInfo.InvariantCulture, out int owner) && owner == ownPid))
            return null;
        // All ones is systemd's "infinity"; it and whatever else a TimeSpan cannot hold is no watchdog.
        return ulong.TryParse(microseconds, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value)
            && value is > 0 and <= long.MaxValue / TimeSpan.TicksPerMicrosecond
            ? TimeSpan.FromTicks((long)value * TimeSpan.TicksPerMicrosecond)
            : null;
    }
}
