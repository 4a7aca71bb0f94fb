using System.Diagnostics;

namespace ThreadExporter.Tests.Support;

/// <summary>A well-behaved scraper, and how long its scrapes take while other clients misbehave.</summary>
internal static class ReferenceScraper
{
    private const int Scrapes = 9;

    /// <summary>
    /// Two cores that other tests use too make any scrape take this long now and then. It is a twentieth of Prometheus's
    /// scrape_timeout; a scrape that is locked out would take forever.
    /// </summary>
    private static readonly TimeSpan Floor = TimeSpan.FromMilliseconds(500);

    /// <summary>The median of a few scrapes, each of which must succeed.</summary>
    public static async Task<TimeSpan> MedianAsync(Daemon daemon)
    {
        List<TimeSpan> times = [];
        for (int i = 0; i < Scrapes; i++)
        {
            long begin = Stopwatch.GetTimestamp();
            await ScrapeAsync(daemon);
            times.Add(Stopwatch.GetElapsedTime(begin));
        }
        times.Sort();
        return times[Scrapes / 2];
    }

    /// <summary>Scrapes go on within twice their usual time.</summary>
    public static async Task AssertUndisturbedAsync(Daemon daemon, TimeSpan usual)
    {
        TimeSpan now = await MedianAsync(daemon);
        Assert.True(now <= 2 * usual || now <= Floor, $"a scrape took {now.TotalMilliseconds:0} ms, usually {usual.TotalMilliseconds:0} ms");
    }

    /// <summary>
    /// Once more when the connection kept from the last scrape turns out to be closed: so does Go's HTTP client, which is
    /// Prometheus's (net/http, Transport). .NET's does not when the close was a reset.
    /// </summary>
    private static async Task ScrapeAsync(Daemon daemon)
    {
        try
        {
            await daemon.ScrapeAsync();
        }
        catch (HttpRequestException e) when (e.InnerException is IOException)
        {
            await daemon.ScrapeAsync();
        }
    }
}
