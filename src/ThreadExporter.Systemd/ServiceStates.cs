using System.Net.Sockets;
using Microsoft.Extensions.Hosting.Systemd;
using ThreadExporter.Linux;

namespace ThreadExporter.Systemd;

/// <summary>The notifications of sd_notify(3) beyond <see cref="ServiceState.Ready"/> and <see cref="ServiceState.Stopping"/>.</summary>
public static class ServiceStates
{
    /// <summary>Resets the watchdog timeout, <c>WatchdogSec=</c>.</summary>
    public static ServiceState WatchdogAlive { get; } = new("WATCHDOG=1");

    /// <summary>A reload starts. <c>Type=notify-reload</c> requires the time on CLOCK_MONOTONIC, in microseconds.</summary>
    public static ServiceState Reloading() => new($"RELOADING=1\nMONOTONIC_USEC={Clocks.MonotonicNanoseconds() / 1000}");

    /// <summary>The line that <c>systemctl status</c> shows.</summary>
    public static ServiceState Status(string status) => new("STATUS=" + OneLine(status));

    /// <summary>Started, or the reload has finished, with the status line in the same datagram.</summary>
    public static ServiceState Ready(string status) => new("READY=1\nSTATUS=" + OneLine(status));

    /// <summary>
    /// Sends the state; false when it was not delivered. <see cref="SystemdNotifier.Notify"/> throws when the socket does not exist or is not
    /// accessible. That must not terminate the daemon: systemd has its own timeouts.
    /// </summary>
    public static bool TryNotify(this ISystemdNotifier notifier, ServiceState state)
    {
        ArgumentNullException.ThrowIfNull(notifier);
        try
        {
            notifier.Notify(state);
            return notifier.IsEnabled;
        }
        // ArgumentException: NOTIFY_SOCKET is not a valid socket path, for example because it is too long.
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            return false;
        }
    }

    /// <summary>A newline would start another assignment: a status text must not contain READY=1.</summary>
    private static string OneLine(string text) => text.ReplaceLineEndings(" ");
}
