using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using ThreadExporter.Tests.Support;
using ThreadExporter.Web.Server;

namespace ThreadExporter.Tests.Web.Server;

/// <summary>The addresses that the daemon listens on, and its error messages when it cannot.</summary>
public sealed class ListenTests
{
    private const string LowPorts = "/proc/sys/net/ipv4/ip_unprivileged_port_start";

    // 192.0.2.0/24 and 2001:db8::/32 are reserved for documentation: no host has them. The name never exists (RFC 6761).
    [Theory]
    [InlineData("192.0.2.7:9199", "cannot listen on 192.0.2.7:9199: this host has no such address")]
    [InlineData("[2001:db8::7]:9199", "cannot listen on [2001:db8::7]:9199: this host has no")]
    [InlineData("no-such-host.invalid:9199", "cannot listen on no-such-host.invalid:9199: the name cannot be resolved: ")]
    public async Task An_address_that_is_not_of_this_host_is_one_line_and_exit_1(string address, string line) =>
        await AssertEndsAsync(Daemon.Launch(["--filter", "x", "--web.listen-address", address]), line);

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("", "127.0.0.1")]
    [InlineData("0.0.0.0", "127.0.0.1")]
    [InlineData("localhost", "127.0.0.1")]
    [InlineData("[::ffff:127.0.0.1]", "127.0.0.1")]
    public async Task A_port_that_is_taken_is_one_line_and_exit_1(string host, string takenBy)
    {
        using TcpListener taken = new(IPAddress.Parse(takenBy), 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        string name = host == "localhost" ? $"localhost:{port} (127.0.0.1)" : $"{host}:{port}";
        await AssertEndsAsync(Daemon.Launch(["--filter", "x", "--web.listen-address", $"{host}:{port}"]),
            $"cannot listen on {name}: address already in use (`ss -ltnp sport = :{port}` shows by which process)");
    }

    [Fact]
    public async Task A_port_that_needs_a_capability_is_one_line_and_exit_1()
    {
        Assert.SkipUnless(int.Parse(await File.ReadAllTextAsync(LowPorts, TestContext.Current.CancellationToken), CultureInfo.InvariantCulture) > 1, "this host lets every user listen on every port");
        string[]? through = Environment.IsPrivilegedProcess ? ["/usr/bin/setpriv", "--bounding-set", "-net_bind_service"] : null;
        Assert.SkipUnless(through is null || File.Exists(through[0]), "needs setpriv(1) to take root's capability away");
        await AssertEndsAsync(Daemon.Launch(["--filter", "x", "--web.listen-address", "127.0.0.1:1"], through: through),
            "cannot listen on 127.0.0.1:1: permission denied (a port below 1024 usually needs CAP_NET_BIND_SERVICE)");
    }

    [Fact]
    public async Task A_name_of_which_this_host_has_one_address_is_listened_on()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/usr/bin/unshare"), "needs root and unshare(1) for a network namespace without IPv6");
        string[] through = ["/usr/bin/unshare", "--net", "sh", "-c",
            "ip link set lo up && ip address flush dev lo && ip address add 127.0.0.1/8 dev lo && exec \"$0\" \"$@\""];
        await using Daemon daemon = Daemon.Launch(["--filter", "x", "--web.listen-address", "localhost:9199"], through: through);
        await daemon.WaitForLogAsync("Not listening on localhost:9199 (::1): this host has no");
        await daemon.WaitForLogAsync("Listening on http://127.0.0.1:9199/metrics");
        Assert.Equal(0, await daemon.StopAsync());
    }

    [Fact]
    public async Task Without_IPv6_it_listens_on_all_IPv4_addresses()
    {
        await using Daemon daemon = Daemon.Launch(
            ["--filter", "x", "--web.listen-address", ":0"], new Dictionary<string, string> { ["DOTNET_SYSTEM_NET_DISABLEIPV6"] = "1" });
        await daemon.WaitForLogAsync("Listening on http://0.0.0.0:");
        Assert.Equal(0, await daemon.StopAsync());
    }

    [Theory]
    [InlineData("0.0.0.0 [::]", true)]
    [InlineData("[::] 0.0.0.0", true)]
    [InlineData("[::] 127.0.0.1", true)]
    [InlineData("[::]", true)]
    [InlineData(" 127.0.0.1", true)]
    [InlineData("127.0.0.1  [::1]", true)]
    [InlineData("[::] [::1] 127.0.0.1", true)]
    [InlineData("localhost 127.0.0.1", true)]
    [InlineData("0.0.0.0 127.0.0.1 localhost", false)]
    public async Task Addresses_that_overlap_are_listened_on_together(string hosts, bool onIPv6)
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6 && File.Exists("/proc/net/if_inet6"), "needs IPv6");
        int port = FreePort();
        string[] addresses = [.. hosts.Split(' ').SelectMany(h => (string[])["--web.listen-address", $"{h}:{port}"])];
        await using Daemon daemon = Daemon.Launch(["--filter", "x", .. addresses]);
        await daemon.WaitForLogAsync("Configuration loaded");
        foreach (string host in onIPv6 ? (string[])["127.0.0.1", "[::1]"] : ["127.0.0.1"])
            Assert.Contains("thread_exporter_", await daemon.Http.GetStringAsync($"http://{host}:{port}/metrics", TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(":1", "[::]:1 both")]
    [InlineData("[::]:1", "[::]:1 both")]
    [InlineData(":1 :2", "[::]:1 both, [::]:2 both")]
    [InlineData(":1 0.0.0.0:1 [::]:1 [::1]:1 localhost:1", "[::]:1 both")]
    [InlineData("[::]:1 0.0.0.0:2", "[::]:1 both, 0.0.0.0:2")]
    [InlineData("[::]:1 0.0.0.0:1", "[::]:1, 0.0.0.0:1")]
    [InlineData("[::]:1 [::ffff:127.0.0.1]:1", "[::]:1, 127.0.0.1:1")]
    [InlineData("0.0.0.0:1 127.0.0.1:1 [::1]:1", "0.0.0.0:1, [::1]:1")]
    [InlineData("127.0.0.1:1 localhost:1", "127.0.0.1:1, [::1]:1 optional")]
    [InlineData(":0 :0 127.0.0.1:0", "[::]:0 both, [::]:0 both, 127.0.0.1:0")]
    public void An_address_that_another_covers_needs_no_socket(string addresses, string expected) => Assert.Equal(expected, string.Join(", ",
        ListenAddress.Resolve(addresses.Split(' ')).Select(a => new IPEndPoint(a.Address, a.Port) + (a.BothFamilies ? " both" : "") + (a.IsOptional ? " optional" : ""))));

    [Fact]
    public void Another_process_that_listens_first_is_one_line_too()
    {
        int port = FreePort();
        using ListenSockets first = ListenSockets.Bind([$"127.0.0.1:{port}"], NullLogger.Instance);
        // Until one of them listens both may bind: SO_REUSEADDR, which lets a daemon restart at once.
        using ListenSockets second = ListenSockets.Bind([$"127.0.0.1:{port}"], NullLogger.Instance);
        IPEndPoint endPoint = new(IPAddress.Loopback, port);
        using Socket listening = first.Listen(endPoint, 1);
        Assert.StartsWith($"cannot listen on 127.0.0.1:{port}: address already in use", Assert.Throws<IOException>(() => second.Listen(endPoint, 1)).Message, StringComparison.Ordinal);
    }

    private static async Task AssertEndsAsync(Daemon started, string line)
    {
        await using Daemon daemon = started;
        Assert.Equal(1, await daemon.WaitForExitAsync());
        string last = daemon.Log.Split('\n')[^1];
        Assert.Contains(line, last, StringComparison.Ordinal);
        Assert.All(daemon.Log.Split('\n'), l => Assert.Matches("^[0-9-]{10}T", l));
    }

    private static int FreePort()
    {
        using Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
