using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace ThreadExporter.Tests.Support;

/// <summary>A response, parsed strictly by HTTP.</summary>
internal sealed record RawResponse(int Status, IReadOnlyDictionary<string, string> Headers, string Body);

/// <summary>A TCP connection to the daemon on which a test writes any bytes.</summary>
internal sealed class RawClient : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[64 * 1024];
    private string _received = "";

    private RawClient(Socket socket) => _socket = socket;

    public static async Task<RawClient> ConnectAsync(Daemon daemon)
    {
        RawClient client = new(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true });
        await client._socket.ConnectAsync("127.0.0.1", daemon.Http.BaseAddress!.Port);
        return client;
    }

    /// <summary>
    /// A client whose kernel buffers only a few kilobytes while the test does not read. A small window of small segments also
    /// keeps the daemon's kernel from buffering megabytes instead.
    /// </summary>
    public static async Task<RawClient> ConnectWithSmallWindowAsync(Daemon daemon)
    {
        const int Tcp = 6, MaximumSegment = 2;
        RawClient client = new(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = 4096 });
        client._socket.SetRawSocketOption(Tcp, MaximumSegment, BitConverter.GetBytes(536));
        await client._socket.ConnectAsync("127.0.0.1", daemon.Http.BaseAddress!.Port);
        return client;
    }

    /// <summary>One character is one byte. False when one of the two has closed the connection.</summary>
    public async Task<bool> TrySendAsync(string bytes)
    {
        try
        {
            await _socket.SendAsync(Encoding.Latin1.GetBytes(bytes));
            return true;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>No more will be sent; the other direction stays open.</summary>
    public void EndSending() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>The next response; null when the connection ends without one.</summary>
    /// <param name="hasBody">False for a response to HEAD: its Content-Length is that of a body that is not sent.</param>
    public async Task<RawResponse?> ReceiveAsync(bool hasBody = true)
    {
        int end;
        while ((end = _received.IndexOf("\r\n\r\n", StringComparison.Ordinal)) < 0)
        {
            if (!await FillAsync())
                return null;
        }
        string[] lines = _received[..end].Split("\r\n");
        _received = _received[(end + 4)..];
        Dictionary<string, string> headers = lines.Skip(1).Select(l => l.Split(": ", 2)).ToDictionary(l => l[0], l => l[1], StringComparer.OrdinalIgnoreCase);
        int length = hasBody ? int.Parse(headers["Content-Length"], CultureInfo.InvariantCulture) : 0;
        while (_received.Length < length)
            Assert.True(await FillAsync(), "the connection ended within a body");
        string body = _received[..length];
        _received = _received[length..];
        Assert.StartsWith("HTTP/1.1 ", lines[0], StringComparison.Ordinal);
        return new RawResponse(int.Parse(lines[0].AsSpan(9, 3), CultureInfo.InvariantCulture), headers, body);
    }

    /// <summary>Reads to the end, whether orderly or by a reset. Everything not yet received.</summary>
    public async Task<string> ReceiveToEndAsync()
    {
        while (await FillAsync())
        {
        }
        return _received;
    }

    /// <summary>Whether the daemon's kernel still has the connection, found out without reading from it.</summary>
    public bool IsOpen => !(_socket.Poll(0, SelectMode.SelectError) || (_socket.Poll(0, SelectMode.SelectRead) && _socket.Available == 0));

    public void Dispose() => _socket.Dispose();

    private async Task<bool> FillAsync()
    {
        using CancellationTokenSource timeout = new(Timeout);
        try
        {
            int got = await _socket.ReceiveAsync(_buffer, timeout.Token);
            _received += Encoding.Latin1.GetString(_buffer, 0, got);
            return got > 0;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
