using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Web;

/// <summary>The running daemon over HTTP.</summary>
public sealed class MetricsEndpointsTests : IAsyncLifetime
{
    private Daemon _daemon = null!;
    private TempConfig _config = null!;

    public async ValueTask InitializeAsync()
    {
        _config = new TempConfig("[[filter]]\nname = \"self\"\nmatch = \"thread-exporter\"\n[[filter]]\nname = \"nobody <b>\"\ncomm = \"no-such-process\"\n");
        _daemon = await Daemon.StartAsync(["--config", _config.Path]);
    }

    public async ValueTask DisposeAsync()
    {
        await _daemon.DisposeAsync();
        _config.Dispose();
    }

    [Fact]
    public async Task A_scrape_has_the_standard_metrics_and_a_zero_for_a_rule_that_matches_nothing()
    {
        HttpResponseMessage response = await _daemon.Http.GetAsync("/metrics", TestContext.Current.CancellationToken);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        Assert.Empty(response.Headers.Server);
        Support.ParsedScrape scrape = Support.ParsedScrape.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        // Other tests run daemons at the same time.
        Assert.Equal(scrape.Of("perfscale_process_threads").Count(), scrape.Value("thread_exporter_filter_matched_processes", ("filter", "self")));
        (string, string) own = ("pid", $"{_daemon.Pid}");
        Assert.Equal(0, scrape.Value("thread_exporter_filter_matched_processes", ("filter", "nobody <b>")));
        Assert.Equal(1, scrape.Value("thread_exporter_config_last_reload_successful"));
        Assert.Equal(1, scrape.Value("thread_exporter_build_info", ("version", Repository.Version)));
        Assert.True(scrape.Value("process_resident_memory_bytes") > 1e6);
        Assert.True(scrape.Value("process_open_fds") > 10);
        double start = scrape.Value("perfscale_process_start_time_seconds", own);
        Assert.InRange(start, scrape.Value("process_start_time_seconds") - 1, scrape.Value("process_start_time_seconds") + 1);
        Assert.Equal(scrape.Value("perfscale_process_threads", own),
            scrape.Of("perfscale_process_threads_by_state").Where(s => s.Labels["pid"] == $"{_daemon.Pid}").Sum(s => s.Number));
        Assert.Equal(scrape.Value("thread_exporter_threads"), scrape.Of("perfscale_thread_cpu_seconds_total").Count());
    }

    [Fact]
    public async Task The_parameter_filter_shows_only_the_named_filters()
    {
        Support.ParsedScrape self = Support.ParsedScrape.Parse(await _daemon.Http.GetStringAsync("/metrics?filter=self", TestContext.Current.CancellationToken));
        Assert.NotEmpty(self.Of("perfscale_thread_cpu_seconds_total"));
        Support.ParsedScrape other = Support.ParsedScrape.Parse(await _daemon.Http.GetStringAsync("/metrics?filter=nobody%20%3Cb%3E", TestContext.Current.CancellationToken));
        Assert.Empty(other.Of("perfscale_process_threads"));
        Assert.NotEmpty(other.Of("thread_exporter_build_info"));
        Support.ParsedScrape both = Support.ParsedScrape.Parse(await _daemon.Http.GetStringAsync("/metrics?filter=nobody%20%3Cb%3E&filter=self", TestContext.Current.CancellationToken));
        Assert.NotEmpty(both.Of("perfscale_process_threads"));
        HttpResponseMessage unknown = await _daemon.Http.GetAsync("/metrics?filter=selv", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, unknown.StatusCode);
        string hostile = await (await _daemon.Http.GetAsync("/metrics?filter=a%E2%80%AE%1B%5B2J%22%5C", TestContext.Current.CancellationToken)).Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal("Unknown filter \"a\\u202E\\u001B[2J\\\"\\\\\".\n", hostile);
        Assert.Equal("Unknown filter \"selv\".\n", await unknown.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Counters_of_live_threads_never_decrease()
    {
        Support.ParsedScrape last = await _daemon.ScrapeParsedAsync();
        for (int i = 0; i < 50; i++)
        {
            Support.ParsedScrape next = await _daemon.ScrapeParsedAsync();
            foreach ((string series, Sample sample) in next.Series)
            {
                if (sample.Name.EndsWith("_total", StringComparison.Ordinal) && last.Series.TryGetValue(series, out Sample? before))
                    Assert.True(sample.Number >= before.Number, $"{series} fell from {before.Value} to {sample.Value}");
            }
            last = next;
        }
    }

    [Fact]
    public async Task OpenMetrics_and_gzip_are_served_on_request()
    {
        using HttpRequestMessage request = new(HttpMethod.Get, "/metrics");
        request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse("application/openmetrics-text; version=1.0.0"));
        request.Headers.AcceptEncoding.ParseAdd("gzip");
        HttpResponseMessage response = await _daemon.Http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal("application/openmetrics-text; version=1.0.0; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        Assert.Equal("gzip", Assert.Single(response.Content.Headers.ContentEncoding));
        // A cache must not return it to a client that accepts only plain text.
        Assert.Equal(["Accept", "Accept-Encoding"], response.Headers.Vary);
        using StreamReader reader = new(new GZipStream(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken), CompressionMode.Decompress));
        string text = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.EndsWith("\n# EOF\n", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE perfscale_thread_cpu_seconds counter\n# UNIT perfscale_thread_cpu_seconds seconds\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Simultaneous_requests_share_collections()
    {
        // A collection that waits for one file while the other requests arrive.
        using FixtureProc proc = new();
        proc.Process(10, "f", threads: 2);
        proc.Thread(10, 10, "f"u8);
        proc.Thread(10, 11, "w"u8);
        byte[] schedStat = "1000 20 3\n"u8.ToArray();
        int held = 0;
        using FuseFile file = new(Path.Combine(proc.Root, "10/task/11/schedstat"), _ => Volatile.Read(ref held) == 0 ? (schedStat, 0) : (FuseFile.Never, 0));
        // Without the sampler, which would be the one to wait, with the gate held.
        using TempConfig config = new($"[[filter]]\ncomm = \"f\"\n[collector]\nprocfs = \"{proc.Root}\"\n[sampler]\nenabled = false\n");
        await using Daemon daemon = await Daemon.StartAsync(["--config", config.Path]);
        double before = (await daemon.ScrapeParsedAsync()).Value("thread_exporter_collections_total");

        Volatile.Write(ref held, 1);
        int reads = file.Reads;
        Task<string> first = daemon.ScrapeAsync();
        Eventually.True(() => file.Reads > reads, "a collection is being made");
        Task<string>[] others = [.. Enumerable.Range(0, 29).Select(_ => daemon.ScrapeAsync())];
        await Task.Delay(1000, TestContext.Current.CancellationToken);
        Assert.All([first, .. others], request => Assert.False(request.IsCompleted));
        file.Release(schedStat);

        string[] all = await Task.WhenAll([first, .. others]);
        // One for all of them, or a few more for late requests on a busy machine.
        double made = (await daemon.ScrapeParsedAsync()).Value("thread_exporter_collections_total") - before - 1;
        Assert.InRange(made, 1, 5);
        Assert.InRange(all.Distinct().Count(), 1, made);
        Assert.All(all, text => Assert.Equal(2, Support.ParsedScrape.Parse(text).Of("perfscale_thread_cpu_seconds_total").Count()));
    }

    [Theory]
    [InlineData("GET", "/", 200)]
    [InlineData("HEAD", "/metrics", 200)]
    [InlineData("GET", "/-/healthy", 200)]
    [InlineData("GET", "/-/ready", 200)]
    [InlineData("POST", "/-/reload", 403)]
    [InlineData("GET", "/-/reload", 405)]
    [InlineData("POST", "/metrics", 405)]
    [InlineData("GET", "/nothing/here", 404)]
    [InlineData("GET", "/metrics/../../etc/passwd", 404)]
    public async Task Endpoints_respond(string method, string path, int status)
    {
        using HttpRequestMessage request = new(new HttpMethod(method), path);
        Assert.Equal((HttpStatusCode)status, (await _daemon.Http.SendAsync(request, TestContext.Current.CancellationToken)).StatusCode);
    }

    [Fact]
    public async Task The_landing_page_names_filters_and_matches_and_escapes_them()
    {
        string page = await _daemon.Http.GetStringAsync("/", TestContext.Current.CancellationToken);
        Assert.Contains($"thread-exporter <small>{Repository.Version}</small>", page, StringComparison.Ordinal);
        Assert.Contains($"<bdi>thread-exporter</bdi> <small>{_daemon.Pid}</small>", page, StringComparison.Ordinal);
        Assert.Contains("nobody &lt;b&gt;", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>", page, StringComparison.Ordinal);
    }
}
