using ThreadExporter.Tests.Support;
using ThreadExporter.Web.Server;

namespace ThreadExporter.Tests.Web.Server;

/// <summary>Many connections without a request: they must not block other clients.</summary>
public class IdleConnectionTests
{
    private const int Many = 2000;

    [SlowFact]
    public async Task Two_thousand_idle_connections_leave_scrapes_connections_and_memory_as_they_are()
    {
        using TempConfig config = new("[[filter]]\nmatch = \"no-such-process\"\n");
        await using Daemon daemon = await Daemon.StartAsync(["--config", config.Path]);
        TimeSpan usual = await ReferenceScraper.MedianAsync(daemon);
        Support.ParsedScrape before = await daemon.ScrapeParsedAsync();
        List<RawClient> clients = [];
        try
        {
            for (int i = 0; i < Many; i++)
            {
                RawClient client = await RawClient.ConnectAsync(daemon);
                clients.Add(client);
                // Some have sent half a request, some have got a response.
                if (i % 3 == 1)
                    await client.TrySendAsync("GET /metrics HT");
                if (i % 100 == 2 && await client.TrySendAsync("GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n"))
                    await client.ReceiveAsync();
            }
            await ReferenceScraper.AssertUndisturbedAsync(daemon, usual);
            Support.ParsedScrape after = await daemon.ScrapeParsedAsync();
            Eventually.True(() => clients.Count(c => c.IsOpen) <= HttpLimits.Connections, "the daemon has closed all but its limit");
            // The newest connections remain; the scraper's own uses one of the places.
            Assert.True(clients.Count(c => c.IsOpen) >= HttpLimits.Connections - 10);
            Assert.All(clients.Skip(Many - (HttpLimits.Connections / 2)), c => Assert.True(c.IsOpen));
            Assert.InRange(after.Value("process_open_fds") - before.Value("process_open_fds"), 0, 2 * HttpLimits.Connections);
            Assert.InRange(after.Value("process_resident_memory_bytes") - before.Value("process_resident_memory_bytes"), -1e9, 100e6);
            await daemon.WaitForLogAsync("Connection limit (128) reached");
            Assert.Equal(1, daemon.Log.Split("Connection limit (128) reached").Length - 1);
        }
        finally
        {
            clients.ForEach(c => c.Dispose());
        }
        // The shutdown does not wait for them.
        Assert.Equal(0, await daemon.StopAsync());
    }

    [SlowFact]
    public async Task Clients_that_pipeline_and_never_read_do_not_shut_out_scrapes()
    {
        using TempConfig config = new("[[filter]]\nmatch = \"no-such-process\"\n");
        await using Daemon daemon = await Daemon.StartAsync(["--config", config.Path]);
        TimeSpan usual = await ReferenceScraper.MedianAsync(daemon);
        string requests = string.Concat(Enumerable.Repeat("GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n", 3000));
        List<RawClient> clients = [];
        List<Task> sends = [];
        try
        {
            // More than the limit, each with a response that cannot finish.
            for (int i = 0; i < HttpLimits.Connections + 30; i++)
            {
                clients.Add(await RawClient.ConnectWithSmallWindowAsync(daemon));
                sends.Add(clients[^1].TrySendAsync(requests));
            }
            await ReferenceScraper.AssertUndisturbedAsync(daemon, usual);
            using RawClient another = await RawClient.ConnectAsync(daemon);
            await another.TrySendAsync("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
            Assert.Equal(200, (await another.ReceiveAsync())?.Status);
        }
        finally
        {
            clients.ForEach(c => c.Dispose());
        }
        await Task.WhenAll(sends);
        Assert.DoesNotContain(" error ", daemon.Log, StringComparison.Ordinal);
    }
}
