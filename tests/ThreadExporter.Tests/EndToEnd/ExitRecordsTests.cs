using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.EndToEnd;

/// <summary>The daemon with the capability for exit records and no other one, and without it.</summary>
public class ExitRecordsTests
{
    private const string Available = "thread_exporter_exit_records_available";

    [Fact]
    public async Task With_CAP_NET_ADMIN_alone_threads_that_exit_between_scrapes_have_names()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/usr/bin/setpriv"), "needs root and setpriv(1)");
        using Workload workload = new();
        using TempConfig config = new($"[[filter]]\npid = {workload.Pid}\n");
        await using Daemon daemon = await StartAsync(config, "-all,+net_admin");
        await daemon.WaitForLogAsync("Exit records are available");
        ParsedScrape scrape = await daemon.ScrapeParsedAsync();
        Assert.Equal(1, scrape.Value(Available));
        for (int i = 0; i < 3; i++)
        {
            workload.Churn(10, 5);
            scrape = await daemon.ScrapeParsedAsync();
        }
        Assert.True(scrape.Value("perfscale_process_exited_threads_cpu_seconds_total", ("tname", "churn-*")) > 0.02);
        Assert.True(scrape.Value("thread_exporter_exited_cpu_estimated_seconds_total") > 0);
    }

    [Fact]
    public async Task Without_the_capability_the_log_says_what_is_missing_and_nothing_else_changes()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/usr/bin/setpriv"), "needs root and setpriv(1)");
        using Workload workload = new();
        using TempConfig config = new($"[[filter]]\npid = {workload.Pid}\n[collector]\nexits = \"on\"\n");
        await using Daemon daemon = await StartAsync(config, "-all");
        await daemon.WaitForLogAsync("Exit records are not available: exit records require CAP_NET_ADMIN");
        Assert.Contains("warn", daemon.Log.Split('\n').Single(l => l.Contains("Exit records", StringComparison.Ordinal)), StringComparison.OrdinalIgnoreCase);
        workload.Churn(10, 5);
        ParsedScrape scrape = await daemon.ScrapeParsedAsync();
        Assert.Equal(0, scrape.Value(Available));
        Assert.Empty(scrape.Of("perfscale_process_exited_threads_total"));
        Assert.True(scrape.Value("perfscale_process_transient_threads_cpu_seconds_total") > 0.02);
    }

    private static Task<Daemon> StartAsync(TempConfig config, string bounding) =>
        Daemon.StartAsync(["--config", config.Path], through: ["/usr/bin/setpriv", $"--bounding-set={bounding}"]);
}
