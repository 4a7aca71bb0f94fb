using System.Net.Sockets;
using Microsoft.Extensions.Hosting.Systemd;
using ThreadExporter.Linux;

namespace ThreadExporter.Systemd;

/// <summary>The notifications of sd_notify(3) beyond <see cref="ServiceState.Ready"/> and <see cref="ServiceState.Stopping"/>.</summary>
public static class ServiceStates
{
    /// <summary>Keeps the watchdog quiet for another <c>WatchdogSec=</c>.</summary>
    public static ServiceState WatchdogAlive { get; } = new("WATCHDOG=1");

    /// <summary>A reload begins. <c>Type=notify-reload</c> wants the time on CLOCK_MONOTONIC, in microseconds.</summary>
    public static ServiceState Reloading() => new($"RELOADING=1\nMONOTONIC_USEC={Clocks.MonotonicNanoseconds() / 1000}");

    /// <summary>The line that <c>systemctl status</c> shows.</summary>
    public static ServiceState Status(string status) => new("STATUS=" + OneLine(status));

    /// <summary>Started, or the reload is over, with the status line in the same datagram.</summary>
    public static ServiceState Ready(string status) => new("READY=1\nSTATUS=" + OneLine(status));

    /// <summary>
    /// Sends the state; false when it did not arrive. <see cref="SystemdNotifier.Notify"/> throws when the socket is gone or
    /// out of reach, and a daemon should not die of that: systemd's own timeouts judge it.
    /// </summary>
    public static bool TryNotify(this ISystemdNotifier notifier, ServiceState state)
    {
        ArgumentNullException.ThrowIfNull(notifier);
        try
        {
            notifier.Notify(state);
            return notifier.IsEnabled;
        }
        // The latter: NOTIFY_SOCKET is not the path of a socket, for example because it is too long.
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            return false;
        }
    }

    /// <summary>A newline would begin another assignment: a status text must not say READY=1.</summary>
    private static string OneLine(string text) => text.ReplaceLineEndings(" ");
}
