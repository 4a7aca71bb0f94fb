using System.Text.Json;
using ThreadExporter.Tests.Recording;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Web.Pages;

/// <summary>The strip of recorded hours on the hot page, in headless Chromium.</summary>
public sealed class RecordedPageTests : IAsyncLifetime
{
    private const char ArrowLeft = '\uE012', Home = '\uE011';

    private readonly RecorderFolder _folder = new();
    private readonly Workload _workload = new();
    private TempConfig _config = null!;
    private Daemon _daemon = null!;
    private Browser _browser = null!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Browser.IsInstalled, "needs /usr/bin/chromium and /usr/bin/chromedriver (Debian: chromium, chromium-driver)");
        _workload.Spawn("tp_osd_tp", "35");
        _workload.Spawn("bstore_kv_sync", "9");
        _config = new TempConfig($"[[filter]]\nname = \"osd\"\npid = {_workload.Pid}\n[recorder]\ninterval = \"1s\"\n");
        _daemon = await Daemon.StartAsync(["--config", _config.Path], new Dictionary<string, string> { ["STATE_DIRECTORY"] = _folder.Path });
        _browser = await Browser.StartAsync();
        await Eventually.TrueAsync(async () => (await _daemon.ScrapeParsedAsync()).Value("thread_exporter_recorder_intervals_total") >= 6, "six intervals");
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        if (_daemon is not null)
            await _daemon.DisposeAsync();
        _config?.Dispose();
        _workload.Dispose();
        _folder.Dispose();
    }

    [SlowTheory]
    [InlineData(1400, "light")]
    [InlineData(360, "dark")]
    public async Task A_click_in_the_strip_shows_that_moment_and_Live_returns(int width, string scheme)
    {
        await _browser.ShowAsAsync(width, 900, scheme);
        await OpenAsync("/hot");
        Assert.Equal("Choose a moment in the strip.", await _browser.TextAsync("#recorder-text"));
        Assert.True((await _browser.RunAsync("return document.querySelectorAll('#strip rect').length")).GetInt32() > 10);
        // In the middle of it.
        await _browser.ClickAsync("#moment");
        await _browser.WaitAsync("document.querySelector('#status').dataset.state === 'recorded' && document.querySelector('#recorder-text').textContent.startsWith('Showing ')", "the recorded moment");
        Assert.Equal("Recorded", await _browser.TextAsync("#status-text"));
        Assert.StartsWith("?at=20", (await _browser.RunAsync("return location.search")).GetString(), StringComparison.Ordinal);
        await _browser.WaitAsync("document.querySelector('#detail-name').textContent === 'tp_osd_tp'", "the busiest thread of that moment");
        Assert.True((await _browser.RunAsync("return document.querySelector('#detail-plot').hidden && document.querySelector('#pause').hidden")).GetBoolean());
        string shown = await _browser.TextAsync("#recorder-text");
        await _browser.RunAsync("performance.clearResourceTimings()");
        await Task.Delay(2500, TestContext.Current.CancellationToken);
        Assert.Equal(shown, await _browser.TextAsync("#recorder-text"));
        Assert.Equal(0, (await _browser.RunAsync("return performance.getEntriesByType('resource').length")).GetInt32());
        JsonElement overflow = await _browser.RunAsync(PageChecks.Overflow);
        Assert.True(overflow.GetProperty("page").GetInt32() <= 0 && overflow.GetProperty("elements").GetArrayLength() == 0, $"it overflows the screen: {overflow}");
        Assert.Equal(0, (await _browser.RunAsync(PageChecks.Contrast)).GetProperty("bad").GetArrayLength());
        await SaveAsync($"hot-recorded-{width}-{scheme}");
        await CheckAxeAsync();
        await _browser.ClickAsync("#live");
        await _browser.WaitAsync("document.querySelector('#status').dataset.state === 'live'", "the present");
        Assert.Equal("", (await _browser.RunAsync("return location.search")).GetString());
        Assert.Empty(await _browser.TakeConsoleAsync());
    }

    [SlowFact]
    public async Task The_strip_is_a_slider_for_the_keyboard()
    {
        await OpenAsync("/hot");
        await _browser.RunAsync("document.querySelector('#moment').focus()");
        Assert.Equal("slider", await _browser.RoleAsync("#moment"));
        await _browser.PressAsync(ArrowLeft);
        await _browser.PressAsync(ArrowLeft);
        await _browser.WaitAsync("document.querySelector('#recorder-text').textContent.startsWith('Showing ')", "the moment before");
        string near = (await _browser.RunAsync("return location.search")).GetString()!;
        Assert.DoesNotContain("live", (await _browser.RunAsync("return document.querySelector('#moment').getAttribute('aria-valuetext')")).GetString(), StringComparison.Ordinal);
        await _browser.PressAsync(Home);
        await _browser.WaitAsync($"location.search !== '{near}' && document.querySelector('#status').dataset.state === 'recorded'", "the first moment");
        Assert.True((await _browser.RunAsync(PageChecks.Focus)).GetProperty("visible").GetBoolean());
    }

    [SlowFact]
    public async Task An_address_with_a_time_can_be_shared()
    {
        JsonElement strip = JsonDocument.Parse(await _daemon.Http.GetStringAsync("/api/v1/recorder", TestContext.Current.CancellationToken)).RootElement;
        string at = strip.GetProperty("to").GetString()!;
        await OpenAsync($"/hot?at={at}#sort=name&n=20");
        await _browser.WaitAsync("document.querySelector('#status').dataset.state === 'recorded' && document.querySelectorAll('#threads tbody tr').length >= 2", "the recorded moment");
        Assert.Equal("ascending", (await _browser.RunAsync("return document.querySelector('th.c-name').ariaSort")).GetString());
        await OpenAsync("/hot?at=2020-01-01T00:00:00Z");
        await _browser.WaitAsync("!document.querySelector('#notice').hidden", "that nothing was recorded then");
        Assert.Equal("Nothing was recorded at 2020-01-01T00:00:00Z.", await _browser.TextAsync("#notice"));
        Assert.Equal("Not recorded", await _browser.TextAsync("#status-text"));
    }

    [SlowFact]
    public async Task Without_a_recorder_there_is_no_strip()
    {
        await using Daemon other = await Daemon.StartAsync(["--filter", $"{_workload.Pid}"]);
        await _browser.OpenAsync(new Uri(other.Http.BaseAddress!, "/hot"));
        await _browser.WaitAsync("document.querySelector('#status').dataset.state === 'live'", "the page");
        Assert.True((await _browser.RunAsync("return document.querySelector('#recorder').hidden")).GetBoolean());
    }

    private async Task OpenAsync(string path)
    {
        await _browser.TakeConsoleAsync();
        await _browser.OpenAsync(new Uri("about:blank"));
        await _browser.OpenAsync(new Uri(_daemon.Http.BaseAddress!, path));
        await _browser.WaitAsync("!document.querySelector('#recorder').hidden && document.querySelectorAll('#strip rect').length > 0", "the strip");
    }

    private async Task CheckAxeAsync()
    {
        string axe = Repository.File("tests/npm/node_modules/axe-core/axe.min.js");
        if (!File.Exists(axe))
            return;
        string script = await File.ReadAllTextAsync(axe, TestContext.Current.CancellationToken)
            + "; return axe.run().then(r => r.violations.filter(v => v.impact === 'serious' || v.impact === 'critical').map(v => `${v.id}: ${v.nodes.map(n => n.html).join(' ')}`))";
        Assert.Empty((await _browser.RunAsync(script)).EnumerateArray().Select(p => p.GetString()));
    }

    private async Task SaveAsync(string name)
    {
        string folder = Repository.File("tests/output");
        Directory.CreateDirectory(folder);
        await File.WriteAllBytesAsync(Path.Combine(folder, name + ".png"), await _browser.ScreenshotAsync(), TestContext.Current.CancellationToken);
    }
}
