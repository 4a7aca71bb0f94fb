using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Hosting;

/// <summary>The daemon's notifications to a service manager, received on the test's own socket.</summary>
public class NotifyTests
{
    [Fact]
    public async Task Ready_reloading_status_watchdog_and_stopping_are_sent()
    {
        using TempConfig config = new("[[filter]]\nmatch = \"thread-exporter\"\n");
        string path = Path.Combine(config.Folder, "notify");
        using Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.ReceiveTimeout = 10_000;

        await using Daemon daemon = await Daemon.StartAsync(["--config", config.Path],
            new Dictionary<string, string> { ["NOTIFY_SOCKET"] = path, ["WATCHDOG_USEC"] = "400000" });
        Assert.Equal("READY=1", ReceiveUntil(socket, m => m.StartsWith("READY", StringComparison.Ordinal)));
        long ready = Stopwatch.GetTimestamp();
        Assert.Matches("^STATUS=Watching (1 process|[0-9]+ processes) with [0-9]+ threads$", ReceiveUntil(socket, m => m.StartsWith("STATUS", StringComparison.Ordinal)));
        ReceiveUntil(socket, m => m == "WATCHDOG=1");
        // What is done once after the start, two seconds later by default, does not delay the first one.
        Assert.InRange(Stopwatch.GetElapsedTime(ready).TotalSeconds, 0, 1.9);
        ReceiveUntil(socket, m => m == "WATCHDOG=1");

        config.Write("not toml");
        daemon.Signal("HUP");
        Assert.Matches("^RELOADING=1\nMONOTONIC_USEC=[0-9]+$", ReceiveUntil(socket, m => m.StartsWith("RELOADING", StringComparison.Ordinal)));
        Assert.Contains("the last reload FAILED", ReceiveUntil(socket, m => m.StartsWith("STATUS", StringComparison.Ordinal)), StringComparison.Ordinal);
        ReceiveUntil(socket, m => m == "READY=1");

        daemon.Signal("TERM");
        ReceiveUntil(socket, m => m == "STOPPING=1");
        Assert.Equal(0, await daemon.WaitForExitAsync());
    }

    [Fact]
    public async Task One_process_with_one_thread_is_reported_in_the_singular()
    {
        // Its name is hostile, and no message contains it.
        using FixtureProc proc = new();
        proc.Process(10, "o\u202e\u001b[2J");
        proc.Thread(10, 10, "main"u8);
        using TempConfig config = new("[[filter]]\nname = \"only\\u202e\"\npid = 10\n");
        string path = Path.Combine(config.Folder, "notify");
        using Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.ReceiveTimeout = 10_000;
        await using Daemon daemon = await Daemon.StartAsync(["--config", config.Path, "--path.procfs", proc.Root], new Dictionary<string, string> { ["NOTIFY_SOCKET"] = path });
        Assert.Equal("STATUS=Watching 1 process with 1 thread", ReceiveUntil(socket, m => m.StartsWith("STATUS=Watching", StringComparison.Ordinal)));
        await daemon.WaitForLogAsync("filters 1, processes 1, threads 1");
        Assert.DoesNotContain("1 threads", daemon.Log, StringComparison.Ordinal);
        config.Write("[[filter]]\nname = 7\nmatch = \"a\"\n");
        daemon.Signal("HUP");
        await daemon.WaitForLogAsync("Reload failed with 1 error in");
        Assert.DoesNotContain('\u202e', daemon.Log);
    }

    [Fact]
    public async Task A_process_that_hangs_feeds_no_watchdog()
    {
        using TempConfig config = new("");
        string path = Path.Combine(config.Folder, "notify");
        using Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        await using Daemon daemon = await Daemon.StartAsync(["--config", config.Path],
            new Dictionary<string, string> { ["NOTIFY_SOCKET"] = path, ["WATCHDOG_USEC"] = "200000" });
        daemon.Signal("STOP");
        await Task.Delay(300, TestContext.Current.CancellationToken);
        while (socket.Available > 0)
            socket.Receive(new byte[1000]);
        await Task.Delay(300, TestContext.Current.CancellationToken);
        Assert.Equal(0, socket.Available);
        daemon.Signal("CONT");
        socket.ReceiveTimeout = 10_000;
        ReceiveUntil(socket, m => m == "WATCHDOG=1");
    }

    [Theory]
    [InlineData("/no/such/socket")]
    [InlineData("/a-path-that-is-longer-than-the-108-bytes-that-an-address-of-a-socket-can-hold/a-path-that-is-longer-than-the-108-bytes")]
    public async Task A_service_manager_that_is_out_of_reach_is_one_warning(string socket)
    {
        using TempConfig config = new("[[filter]]\nmatch = \"thread-exporter\"\n");
        await using Daemon daemon = await Daemon.StartAsync(["--config", config.Path], new Dictionary<string, string> { ["NOTIFY_SOCKET"] = socket });
        await daemon.WaitForLogAsync("Configuration loaded");
        Assert.Equal(0, await daemon.StopAsync());
        Assert.Single(daemon.Log.Split('\n'), l => l.Contains("NOTIFY_SOCKET", StringComparison.Ordinal));
        Assert.DoesNotContain("   at ", daemon.Log, StringComparison.Ordinal);
    }

    private static string ReceiveUntil(Socket socket, Func<string, bool> wanted)
    {
        byte[] buffer = new byte[4096];
        while (true)
        {
            string message = Encoding.UTF8.GetString(buffer, 0, socket.Receive(buffer));
            if (wanted(message))
                return message;
        }
    }
}
