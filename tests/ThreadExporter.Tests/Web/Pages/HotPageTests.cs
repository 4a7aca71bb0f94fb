using System.Globalization;
using System.Text.Json;
using ThreadExporter.Tests.Support;
using ThreadExporter.Text;

namespace ThreadExporter.Tests.Web.Pages;

/// <summary>The pages in headless Chromium. Its screenshots are left in <c>tests/output</c>.</summary>
public sealed class HotPageTests(HotPageFixture fixture) : IClassFixture<HotPageFixture>, IAsyncLifetime
{
    private const char Tab = '\uE004';
    private const char Enter = '\uE007';

    // The README's picture needs a longer history than the tests.
    private static readonly double HistorySeconds = double.Parse(Environment.GetEnvironmentVariable("HOT_PAGE_SECONDS") ?? "0", CultureInfo.InvariantCulture);

    private Browser Browser => fixture.Browser;

    public async ValueTask InitializeAsync()
    {
        if (Support.Browser.IsInstalled)
            await fixture.EnsureStartedAsync();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [SlowFact]
    public async Task The_busiest_thread_is_highlighted_and_its_name_is_text()
    {
        await OpenHotAsync();
        JsonElement rows = await Browser.RunAsync(PageChecks.Rows);
        Assert.Contains($"tp_osd_tp {fixture.Busiest}", rows[0][2].GetString(), StringComparison.Ordinal);
        Assert.Matches("%$", rows[0][4].GetString());
        Assert.Equal([$"workload {fixture.Workload.Pid}", "workload", "osd"], rows[0].EnumerateArray().Skip(6).Select(c => c.GetString()));
        Assert.Equal("tp_osd_tp", await Browser.TextAsync("#detail-name"));
        Assert.Equal("Busiest thread", await Browser.TextAsync("#detail-why"));
        Assert.Contains("tp_osd_tp", (await Browser.RunAsync("return document.title")).GetString(), StringComparison.Ordinal);
        // Any process chooses its thread names.
        int hostile = fixture.Workload.Spawn("hostile", "5");
        fixture.Workload.Rename(hostile, "<b id=x>hot</b>"u8);
        await Browser.WaitAsync("[...document.querySelectorAll('.pick')].some(p => p.textContent.startsWith('<b id=x>hot</b>'))", "its name as it is");
        await Browser.RunAsync("[...document.querySelectorAll('.pick')].find(p => p.textContent.startsWith('<b')).click()");
        Assert.Equal("<b id=x>hot</b>", await Browser.TextAsync("#detail-name"));
        Assert.Equal(0, (await Browser.RunAsync("return document.querySelectorAll('#x').length")).GetInt32());
        // A name must not reorder the text around it: it is escaped as on a terminal.
        fixture.Workload.Rename(hostile, "a\u202eb\u200b\u05d0"u8);
        await Browser.WaitAsync("[...document.querySelectorAll('.pick')].some(p => p.textContent.startsWith('a\\\\u202Eb\\\\u200B\u05d0'))", "its name, escaped");
        Assert.Equal(Printable.Of("a\u202eb\u200b\u05d0"), await Browser.TextAsync("#detail-name"));
        Assert.Equal("isolate", (await Browser.RunAsync("return getComputedStyle(document.querySelector('.pick span')).unicodeBidi")).GetString());
        Assert.Empty(await Browser.TakeConsoleAsync());
        fixture.Workload.Exit(hostile);
        await Browser.WaitAsync("!document.body.textContent.includes('u202Eb')", "it disappears when the thread ends");
    }

    [SlowFact]
    public async Task Commands_for_the_thread_and_the_breakdown_of_its_process_are_shown()
    {
        await OpenHotAsync();
        Assert.Equal($"perf record -g -t {fixture.Busiest} -- sleep 10", (await Browser.RunAsync("return perf.value")).GetString());
        Assert.Equal($"pidstat -t -p {fixture.Workload.Pid} 1", (await Browser.RunAsync("return pidstat.value")).GetString());
        await Browser.ClickAsync("[data-copy=perf]");
        await Browser.WaitAsync("document.querySelector('[data-copy=perf]').firstChild.data !== 'Copy'", "the button says that it was copied");
        JsonElement breakdown = await Browser.RunAsync("""
            const bar = document.getElementById("process-bar"), segments = [...bar.children].filter(c => !c.hidden);
            return { filled: segments.reduce((sum, p) => sum + p.getBoundingClientRect().width + 2, -2) / bar.getBoundingClientRect().width,
                     parts: [...document.querySelectorAll("#process-parts li")].map(p => p.innerText) };
            """);
        Assert.InRange(breakdown.GetProperty("filled").GetDouble(), 0.99, 1.01);
        string parts = breakdown.GetProperty("parts").ToString();
        Assert.Contains("other threads", parts, StringComparison.Ordinal);
        Assert.Contains("exited or new threads", parts, StringComparison.Ordinal);
        // Another thread, by its button; and back.
        string second = await Browser.TextAsync("tbody tr:nth-child(2) .pick span");
        await Browser.ClickAsync("tbody tr:nth-child(2) .pick");
        Assert.Equal("Selected thread", await Browser.TextAsync("#detail-why"));
        Assert.Equal(second, await Browser.TextAsync("#detail-name"));
        await Browser.ClickAsync("#follow");
        Assert.Equal("Busiest thread", await Browser.TextAsync("#detail-why"));
    }

    [SlowFact]
    public async Task A_known_thread_shows_its_role_in_the_row_and_the_text_in_the_panel()
    {
        await OpenHotAsync();
        Assert.True((await Browser.RunAsync("return document.querySelector('#role').hidden")).GetBoolean(), "the busiest thread of this process is not known");
        await Browser.WaitAsync("[...document.querySelectorAll('.row-role')].some(r => r.textContent === 'RocksDB compaction')", "the role in the row of rocksdb:low0");
        await Browser.RunAsync("[...document.querySelectorAll('.pick')].find(p => p.textContent.startsWith('rocksdb:low0')).click()");
        Assert.Equal("RocksDB compaction", await Browser.TextAsync("#role-name"));
        Assert.Contains("compactions", await Browser.TextAsync("#role-text"), StringComparison.Ordinal);
        Assert.StartsWith("https://github.com/facebook/rocksdb/", (await Browser.RunAsync("return document.querySelector('#role-source').href")).GetString(), StringComparison.Ordinal);
        await CheckLooksAsync("hot-role");
        await Browser.TypeAsync("#filter", "compaction");
        await Browser.WaitAsync("document.querySelectorAll('#threads tbody tr').length === 1", "the search finds the role");
        Assert.Empty(await Browser.TakeConsoleAsync());
    }

    [SlowFact]
    public async Task A_thread_shows_its_verdict_in_the_row_and_the_sentence_in_the_panel()
    {
        await OpenHotAsync();
        await Browser.RunAsync("[...document.querySelectorAll('.pick')].find(p => p.textContent.startsWith('blocked')).click()");
        await Browser.WaitAsync("document.querySelector('tr.selected .verdict').textContent === 'blocked'", "the verdict in the row of the blocked thread");
        string panel = await Browser.TextAsync("#detail-verdict");
        Assert.StartsWith("blocked: in uninterruptible sleep (D) at ", panel, StringComparison.Ordinal);
        Assert.Contains("of a core", await Browser.TextAsync("#process-title"), StringComparison.Ordinal);
        Assert.StartsWith("CPU use of the host: ", await Browser.TextAsync("#host-title"), StringComparison.Ordinal);
        Assert.Contains("short-lived processes, interrupts", await Browser.TextAsync("#host-parts"), StringComparison.Ordinal);
        await CheckLooksAsync("hot-verdict");
        await Browser.ClickAsync("th.c-verdict button");
        await Browser.WaitAsync("document.querySelector('th.c-verdict').ariaSort === 'descending'", "the order by verdict");
        await Browser.TypeAsync("#filter", "blocked");
        await Browser.WaitAsync("document.querySelectorAll('#threads tbody tr').length === 1", "the search finds the verdict");
        Assert.Empty(await Browser.TakeConsoleAsync());
    }

    [SlowTheory]
    [InlineData(1400, 900, "light")]
    [InlineData(1400, 900, "dark")]
    [InlineData(360, 1500, "light")]
    [InlineData(360, 1500, "dark")]
    public async Task Both_pages_fit_the_screen_and_are_readable(int width, int height, string scheme)
    {
        await OpenHotAsync(width, height, scheme);
        await Task.Delay(TimeSpan.FromSeconds(HistorySeconds), TestContext.Current.CancellationToken);
        await CheckLooksAsync($"hot-{width}-{scheme}");
        await Browser.OpenAsync(fixture.Daemon.Http.BaseAddress!);
        await CheckLooksAsync($"landing-{width}-{scheme}");
        Assert.Empty(await Browser.TakeConsoleAsync());
    }

    [SlowTheory]
    [InlineData(1400, "light")]
    [InlineData(1400, "dark")]
    [InlineData(360, "light")]
    [InlineData(360, "dark")]
    public async Task Axe_finds_nothing_serious(int width, string scheme)
    {
        string axe = Repository.File("tests/npm/node_modules/axe-core/axe.min.js");
        Assert.SkipUnless(File.Exists(axe), "axe-core is not installed: tests/setup does it, with npm");
        string script = await File.ReadAllTextAsync(axe, TestContext.Current.CancellationToken)
            + "; return axe.run().then(r => r.violations.filter(v => v.impact === 'serious' || v.impact === 'critical').map(v => `${v.id}: ${v.nodes.map(n => n.html).join(' ')}`))";
        await OpenHotAsync(width, 1500, scheme);
        Assert.Empty((await Browser.RunAsync(script)).EnumerateArray().Select(p => p.GetString()));
        await Browser.OpenAsync(fixture.Daemon.Http.BaseAddress!);
        Assert.Empty((await Browser.RunAsync(script)).EnumerateArray().Select(p => p.GetString()));
    }

    [SlowFact]
    public async Task A_search_without_results_is_reported_and_can_be_cleared()
    {
        await OpenHotAsync();
        await Browser.TypeAsync("#filter", "no such thread");
        await Browser.WaitAsync("document.querySelector('#threads').hidden", "the table goes");
        Assert.Matches("^None of the [0-9]+ busiest threads matches “no such thread”", await Browser.TextAsync("#nothing"));
        await CheckLooksAsync("hot-nothing");
        await Browser.ClickAsync("#clear");
        Assert.False((await Browser.RunAsync("return document.querySelector('#threads').hidden")).GetBoolean());
        Assert.Equal("filter", (await Browser.RunAsync("return document.activeElement.id")).GetString());
        await Browser.TypeAsync("#filter", "KV_sync work");
        await Browser.WaitAsync("document.querySelectorAll('#threads tbody tr').length === 1", "one row is left");
        Assert.Equal("bstore_kv_sync", await Browser.TextAsync("#detail-name"));
        Assert.Contains("filter=KV_sync", (await Browser.RunAsync("return location.hash")).GetString(), StringComparison.Ordinal);
    }

    [SlowFact]
    public async Task A_column_header_sorts_and_shows_the_order()
    {
        await OpenHotAsync();
        Assert.Equal("descending", (await Browser.RunAsync("return document.querySelector('.c-cpu').ariaSort")).GetString());
        await Browser.ClickAsync("th.c-name button");
        await AssertSortedAsync("ascending");
        await Browser.ClickAsync("th.c-name button");
        await AssertSortedAsync("descending");
    }

    [SlowFact]
    public async Task A_paused_page_does_not_change_and_sends_no_requests()
    {
        await OpenHotAsync();
        await Browser.ClickAsync("#pause");
        Assert.Equal("Paused", await Browser.TextAsync("#status-text"));
        string before = (await Browser.RunAsync(PageChecks.Rows)).ToString();
        await Browser.RunAsync("performance.clearResourceTimings()");
        await Task.Delay(2500, TestContext.Current.CancellationToken);
        Assert.Equal(before, (await Browser.RunAsync(PageChecks.Rows)).ToString());
        Assert.Equal(0, (await Browser.RunAsync("return performance.getEntriesByType('resource').length")).GetInt32());
        await Browser.ClickAsync("#pause");
        await Browser.WaitAsync("performance.getEntriesByType('resource').length > 0", "it polls again");
        Assert.Equal("Live", await Browser.TextAsync("#status-text"));
    }

    [SlowFact]
    public async Task Everything_is_usable_by_keyboard_with_a_visible_focus()
    {
        await OpenHotAsync();
        List<string> reached = [];
        for (int i = 0; i < 30; i++)
        {
            await Browser.PressAsync(Tab);
            JsonElement focus = await Browser.RunAsync(PageChecks.Focus);
            reached.Add(focus.GetProperty("name").GetString()!);
            Assert.True(focus.GetProperty("visible").GetBoolean(), $"the focus on {reached[^1]} is not visible");
            if (reached.Count(r => r == "pick") == 2)
                break;
        }
        foreach (string wanted in (string[])["skip", "./", "perf", "pidstat", "filter", "rows", "pause", "cpu", "peak", "name", "verdict", "wait", "saturated", "process", "daemon", "pick"])
            Assert.Contains(wanted, reached);
        await Browser.PressAsync(Enter);
        Assert.Equal("Selected thread", await Browser.TextAsync("#detail-why"));
        string name = await Browser.TextAsync("#detail-name");
        // Moving rows keep the focus.
        await Task.Delay(4000, TestContext.Current.CancellationToken);
        Assert.Equal(name, (await Browser.RunAsync("return document.activeElement.firstChild.innerText")).GetString());
    }

    [SlowTheory]
    [InlineData(1400)]
    [InlineData(360)]
    public async Task The_table_is_a_table_for_a_screen_reader_in_every_layout(int width)
    {
        await OpenHotAsync(width);
        Assert.Equal("table", await Browser.RoleAsync("#threads"));
        Assert.Equal("columnheader", await Browser.RoleAsync("#threads th"));
        Assert.Equal("row", await Browser.RoleAsync("#threads tbody tr"));
        Assert.Equal("cell", await Browser.RoleAsync("#threads tbody td"));
        Assert.Matches("^[0-9]+ of the [0-9]+ busiest threads", await Browser.TextAsync("#threads caption"));
        // Values that change every second are not read out; an unreachable exporter is.
        Assert.Equal("status-text notice", (await Browser.RunAsync("return [...document.querySelectorAll('[role=status], [role=alert], [aria-live]')].map(e => e.id).join(' ')")).GetString());
    }

    [SlowFact]
    public async Task Nothing_moves_with_reduced_motion()
    {
        await OpenHotAsync();
        const string Longest = "return Math.max(...[...document.querySelectorAll('*')].map(e => parseFloat(getComputedStyle(e).transitionDuration)))";
        Assert.True((await Browser.RunAsync(Longest)).GetDouble() > 0);
        await Browser.ShowAsAsync(1400, 900, motion: "reduce");
        Assert.Equal(0, (await Browser.RunAsync(Longest)).GetDouble());
    }

    [SlowFact]
    public async Task An_unreachable_exporter_is_reported()
    {
        SkipWithoutBrowser();
        await using Daemon daemon = await Daemon.StartAsync(["--filter", $"{fixture.Workload.Pid}"]);
        await OpenHotAsync(daemon, 1400, 900, "light");
        await daemon.StopAsync();
        await Browser.WaitAsync("!document.querySelector('#notice').hidden", "it is reported");
        Assert.Matches(@"^The exporter does not respond\. Retrying every 2 seconds\. Showing data from [0-9:]+", await Browser.TextAsync("#notice"));
        Assert.Equal("No response", await Browser.TextAsync("#status-text"));
        Assert.True((await Browser.RunAsync(PageChecks.Rows)).GetArrayLength() > 0, "the last values stay");
        await CheckLooksAsync("hot-away");
        // Only the refused connection, which the browser logs itself.
        Assert.All(await Browser.TakeConsoleAsync(), line => Assert.Contains("ERR_CONNECTION_REFUSED", line, StringComparison.Ordinal));
    }

    [SlowFact]
    public async Task Without_filters_it_reports_that_nothing_is_watched()
    {
        SkipWithoutBrowser();
        using TempConfig config = new("");
        await using Daemon daemon = await Daemon.StartAsync(["--config", config.Path]);
        await Browser.ShowAsAsync(360, 700);
        await Browser.OpenAsync(new Uri(daemon.Http.BaseAddress!, "/hot"));
        await Browser.WaitAsync("document.querySelector('#nothing-text').textContent.startsWith('Nothing is watched, because no filter')", "it is reported");
        await CheckLooksAsync("hot-no-filter");
    }

    private static void SkipWithoutBrowser() =>
        Assert.SkipUnless(Browser.IsInstalled, "needs /usr/bin/chromium and /usr/bin/chromedriver (Debian: chromium, chromium-driver)");

    private Task OpenHotAsync(int width = 1400, int height = 900, string scheme = "light")
    {
        SkipWithoutBrowser();
        return OpenHotAsync(fixture.Daemon, width, height, scheme);
    }

    private async Task OpenHotAsync(Daemon daemon, int width, int height, string scheme)
    {
        await Browser.TakeConsoleAsync();
        await Browser.ShowAsAsync(width, height, scheme);
        // Open another page first: a browser does not reload when only the fragment differs.
        await Browser.OpenAsync(new Uri("about:blank"));
        await Browser.OpenAsync(new Uri(daemon.Http.BaseAddress!, "/hot"));
        await Browser.WaitAsync("document.querySelector('#status').dataset.state === 'live' && document.querySelectorAll('#threads tbody tr').length >= 4"
            + " && document.querySelector('#detail-name').textContent === 'tp_osd_tp'", "the busiest thread");
    }

    private async Task AssertSortedAsync(string order)
    {
        Assert.Equal(order, (await Browser.RunAsync("return document.querySelector('th.c-name').ariaSort")).GetString());
        Assert.True((await Browser.RunAsync($"""
            const names = [...document.querySelectorAll("#threads tbody .pick span")].map(e => e.textContent);
            const sorted = [...names].sort((a, b) => a.localeCompare(b));
            if ("{order}" === "descending") sorted.reverse();
            return names.join() === sorted.join();
            """)).GetBoolean(), order);
    }

    private async Task CheckLooksAsync(string name)
    {
        string folder = Repository.File("tests/output");
        Directory.CreateDirectory(folder);
        await File.WriteAllBytesAsync(Path.Combine(folder, name + ".png"), await Browser.ScreenshotAsync(), TestContext.Current.CancellationToken);
        JsonElement overflow = await Browser.RunAsync(PageChecks.Overflow);
        Assert.True(overflow.GetProperty("page").GetInt32() <= 0 && overflow.GetProperty("elements").GetArrayLength() == 0, $"{name} overflows the screen: {overflow}");
        JsonElement contrast = await Browser.RunAsync(PageChecks.Contrast);
        Assert.True(contrast.GetProperty("seen").GetInt32() > 5, "it has texts");
        Assert.True(contrast.GetProperty("bad").GetArrayLength() == 0, $"{name} has texts with too little contrast: {contrast}");
    }
}
