using ThreadExporter.Collection;
using ThreadExporter.Configuration;
using ThreadExporter.Settings;
using ThreadExporter.Tests.Support;
using ThreadExporter.Web.Pages;

namespace ThreadExporter.Tests.Web.Pages;

/// <summary>The landing page explains why graphs are empty.</summary>
public class LandingPageTests
{
    [Fact]
    public async Task A_missing_filter_is_reported_first()
    {
        using TempConfig config = new("");
        await using Daemon daemon = await Daemon.StartAsync(["--config", config.Path]);
        string page = await PageAsync(daemon);
        Assert.Contains("Nothing is watched, because no filter is configured", page, StringComparison.Ordinal);
        Assert.Contains("0 processes with 0 threads", page, StringComparison.Ordinal);
        Assert.Contains("<dt>Last scrape</dt><dd>never</dd>", page, StringComparison.Ordinal);
        Assert.Contains("No scrape since the start", page, StringComparison.Ordinal);
        await daemon.ScrapeAsync();
        page = await PageAsync(daemon);
        Assert.Contains("<dt>Last scrape</dt><dd>0 s ago</dd>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("No scrape since the start", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_filter_that_matches_nothing_comes_with_hints_for_its_keys_and_without_their_values()
    {
        using TempConfig config = new("""
            [[filter]]
            name = "one"
            comm = "secret-process"
            user = "secret-user"
            [[filter]]
            name = "two"
            pidfile = "/secret/pidfile"
            [[filter]]
            name = "three"
            pid = 4194303
            cmdline = 'secret-words'
            unit = "secret.service"
            exe = "/secret/exe"
            """);
        await using Daemon daemon = await Daemon.StartAsync(["--config", config.Path]);
        string page = await PageAsync(daemon);
        Assert.Contains("Nothing is watched, because no filter matches a process", page, StringComparison.Ordinal);
        Assert.Equal(3, page.Split("<strong>no match</strong>").Length - 1);
        foreach (string hint in (string[])["15 bytes at most", "A user of this filter does not exist on this host", "The pidfile does not exist", "has a different pid", "joined by spaces", "systemctl status", "links resolved"])
            Assert.Contains(hint, page, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", page, StringComparison.Ordinal);
        // None of them owns a process, and nothing was denied.
        foreach (string hint in (string[])["an earlier one may own it", "hidepid", "cannot be read", "could not be read"])
            Assert.DoesNotContain(hint, page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_filter_whose_process_an_earlier_filter_owns_gets_a_hint()
    {
        using TempConfig config = new("[[filter]]\nname = \"one\"\ncomm = \"thread-exporter\"\n[[filter]]\nname = \"two\"\ncomm = \"thread-exporter\"\n");
        await using Daemon daemon = await Daemon.StartAsync(["--config", config.Path]);
        Assert.Contains("an earlier one may own it", await PageAsync(daemon), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_reload_is_shown_by_line_and_key_and_a_changed_restart_key_by_name()
    {
        using TempConfig config = new("[[filter]]\nname = \"self\"\nmatch = \"thread-exporter\"\n");
        await using Daemon daemon = await Daemon.StartAsync(["--config", config.Path]);
        config.Write("[[filter]]\nmatch = \"thread-exporter\"\n[sampler]\ninterval = \"secret\"\n");
        daemon.Signal("HUP");
        await daemon.WaitForLogAsync("Reload failed");
        string page = await PageAsync(daemon);
        Assert.Contains("The last reload failed", page, StringComparison.Ordinal);
        Assert.Contains("<code>4:12: sampler.interval</code>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", page, StringComparison.Ordinal);
        Assert.Contains("<dt>Last reload</dt><dd><strong>failed</strong></dd>", page, StringComparison.Ordinal);

        config.Write("[[filter]]\nmatch = \"thread-exporter\"\n[web]\nlisten = [\":9\"]\ntelemetry_path = \"/other\"\n");
        daemon.Signal("HUP");
        await daemon.WaitForLogAsync("Configuration reloaded");
        page = await PageAsync(daemon);
        Assert.Contains("takes effect at the next restart", page, StringComparison.Ordinal);
        Assert.Contains("<code>web.telemetry_path</code>", page, StringComparison.Ordinal);
        Assert.Contains("succeeded", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Matches_are_current_without_scrapes()
    {
        await using Daemon daemon = await Daemon.StartAsync(["--filter", "workload"]);
        using Workload workload = new();
        await Eventually.ValueAsync(
            () => PageAsync(daemon), page => page.Contains($"<small>{workload.Pid}</small>", StringComparison.Ordinal), "the page shows the process");
        Assert.Equal(2, (await daemon.ScrapeParsedAsync()).Value("thread_exporter_collections_total"));
    }

    [Fact]
    public async Task A_hanging_collection_is_reported_and_not_waited_for()
    {
        using FixtureProc proc = new();
        proc.Process(10, "f");
        using LiveCollector live = new(LiveCollector.Config(new FilterConfig { Name = "f", Comm = ["f"] }), proc.Root);
        CollectionGate gate = new();
        ConfigHolder holder = ConfigHolder.Load(null, mayBeMissing: true, new ConfigOverrides { Filter = "f" }, out _)!;
        using SemaphoreSlim started = new(0);
        using SemaphoreSlim resume = new(0);
        Task collection = Task.Run(() => gate.Run(() => { started.Release(); resume.Wait(); }), TestContext.Current.CancellationToken);
        await started.WaitAsync(TestContext.Current.CancellationToken);
        Assert.Contains("A collection is still running", LandingPage.Render(holder, live.Collector, gate, lastScrape: 0), StringComparison.Ordinal);
        resume.Release();
        await collection;
        Assert.Contains("<span class=\"process\"><bdi>f</bdi> <small>10</small></span>", LandingPage.Render(holder, live.Collector, gate, lastScrape: 0), StringComparison.Ordinal);
    }

    [Fact]
    public void Hostile_names_are_shown_escaped()
    {
        using FixtureProc proc = new();
        proc.Process(10, "f\u202e<b>\u001b");
        FilterConfig filter = new() { Name = "n\u2066\u202e", Comm = ["f*"] };
        using LiveCollector live = new(LiveCollector.Config(filter), proc.Root);
        CollectionGate gate = new();
        using TempConfig config = new("[[filter]]\nname = \"n\\u2066\\u202e\"\ncomm = \"f*\"\n");
        ConfigHolder holder = ConfigHolder.Load(config.Path, mayBeMissing: false, new ConfigOverrides(), out _)!;
        string page = LandingPage.Render(holder, live.Collector, gate, lastScrape: 0);
        Assert.Contains("<span class=\"process\"><bdi>f\\u202E&lt;b&gt;\\u001B</bdi> <small>10</small></span>", page, StringComparison.Ordinal);
        Assert.Contains("<th scope=\"row\" role=\"rowheader\">n\\u2066\\u202E</th>", page, StringComparison.Ordinal);
        Assert.DoesNotContain(page, c => c is '\u202e' or '\u2066' or '\u001b');
    }

    private static async Task<string> PageAsync(Daemon daemon) => await daemon.Http.GetStringAsync("/", TestContext.Current.CancellationToken);
}
