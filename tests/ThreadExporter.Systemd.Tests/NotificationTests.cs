using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;

namespace ThreadExporter.Systemd.Tests;

/// <summary>The only class that touches NOTIFY_SOCKET: the variable belongs to the whole process.</summary>
public sealed class NotificationTests : IDisposable
{
    private const string Variable = "NOTIFY_SOCKET";
    private readonly string? _before = Environment.GetEnvironmentVariable(Variable);
    private readonly DatagramReceiver _manager = new();

    [Fact]
    public void Every_notification_is_a_separate_datagram()
    {
        SystemdNotifier notifier = NotifierFor(_manager.Path);
        // NOTIFY_SOCKET is sufficient: in a test run SystemdHelpers.IsSystemdService() is false.
        Assert.True(notifier.IsEnabled);
        foreach (ServiceState state in (ServiceState[])[
            ServiceState.Ready, ServiceStates.Status("3 processes, 412 threads"), ServiceStates.WatchdogAlive,
            ServiceStates.Ready("reloaded"), ServiceState.Stopping])
            Assert.True(notifier.TryNotify(state));
        string[] expected = ["READY=1", "STATUS=3 processes, 412 threads", "WATCHDOG=1", "READY=1\nSTATUS=reloaded", "STOPPING=1"];
        Assert.Equal(expected, expected.Select(_ => _manager.ReceiveText()));
        Assert.True(_manager.IsEmpty);
    }

    [Fact]
    public void Reloading_carries_the_monotonic_clock_in_microseconds()
    {
        SystemdNotifier notifier = NotifierFor(_manager.Path);
        double before = Uptime();
        Assert.True(notifier.TryNotify(ServiceStates.Reloading()));
        double after = Uptime();
        string text = _manager.ReceiveText();
        Assert.Matches("^RELOADING=1\nMONOTONIC_USEC=[0-9]+$", text);
        double seconds = long.Parse(text[(text.LastIndexOf('=') + 1)..], CultureInfo.InvariantCulture) / 1e6;
        Assert.InRange(seconds, before - 0.001, after + 0.001);
        Assert.True(_manager.IsEmpty);

        // On Linux Stopwatch reads CLOCK_MONOTONIC: a second way to the same clock.
        static double Uptime() => (double)Stopwatch.GetTimestamp() / Stopwatch.Frequency;
    }

    [Theory]
    [InlineData("a\nREADY=1", "STATUS=a READY=1")]
    [InlineData("a\r\nb\rc\n", "STATUS=a b c ")]
    [InlineData("größer", "STATUS=größer")]
    public void A_status_cannot_inject_an_assignment(string status, string expected) =>
        Assert.Equal(expected, ServiceStates.Status(status).ToString());

    [Fact]
    public void An_abstract_socket_starts_with_an_at_sign()
    {
        string name = "notify-" + Guid.NewGuid().ToString("N");
        using Socket manager = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint("\0" + name));
        manager.ReceiveTimeout = 5000;
        Assert.True(NotifierFor("@" + name).TryNotify(ServiceState.Ready));
        byte[] buffer = new byte[64];
        Assert.Equal("READY=1"u8.ToArray(), buffer[..manager.Receive(buffer)]);
    }

    [Fact]
    public void Without_the_variable_nothing_is_sent()
    {
        SystemdNotifier notifier = NotifierFor(null);
        Assert.False(notifier.IsEnabled);
        Assert.False(notifier.TryNotify(ServiceState.Ready));
        Assert.True(_manager.IsEmpty);
    }

    [Fact]
    public void A_missing_socket_is_not_an_exception()
    {
        SystemdNotifier notifier = NotifierFor(_manager.Path + ".gone");
        Assert.Throws<SocketException>(() => notifier.Notify(ServiceState.Ready));
        Assert.False(notifier.TryNotify(ServiceState.Ready));
    }

    [Fact]
    public async Task The_lifetime_of_the_package_sends_ready_and_stopping()
    {
        SystemdNotifier notifier = NotifierFor(_manager.Path);
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<ISystemdNotifier>(notifier);
        builder.Services.AddSingleton<IHostLifetime, SystemdLifetime>();
        builder.Logging.ClearProviders();
        using IHost host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        Assert.Equal("READY=1", _manager.ReceiveText());
        await host.StopAsync(TestContext.Current.CancellationToken);
        Assert.Equal("STOPPING=1", _manager.ReceiveText());
        Assert.True(_manager.IsEmpty);
    }

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(Variable, _before);
        _manager.Dispose();
    }

    /// <summary>The package reads the variable once, when the notifier is constructed.</summary>
    private static SystemdNotifier NotifierFor(string? socket)
    {
        Environment.SetEnvironmentVariable(Variable, socket);
        return new SystemdNotifier();
    }
}
