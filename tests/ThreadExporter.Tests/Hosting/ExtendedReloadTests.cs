using System.Diagnostics;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Hosting;

/// <summary><c>collector.extended</c> in the running daemon.</summary>
public sealed class ExtendedReloadTests : IDisposable
{
    private readonly TempConfig _config = new(File(""));

    public void Dispose() => _config.Dispose();

    [Fact]
    public async Task A_reload_switches_it_on_and_off()
    {
        await using Daemon daemon = await Daemon.StartAsync(["--config", _config.Path]);
        Assert.Empty((await daemon.ScrapeParsedAsync()).Of("perfscale_thread_minor_faults_total"));
        _config.Write(File("\"faults\""));
        daemon.Signal("HUP");
        await daemon.WaitForLogAsync("Configuration reloaded");
        Support.ParsedScrape scrape = await daemon.ScrapeParsedAsync();
        Assert.Equal(scrape.Of("perfscale_thread_timeslices_total").Select(s => s.Labels["tid"]), scrape.Of("perfscale_thread_minor_faults_total").Select(s => s.Labels["tid"]));
        Assert.Empty(scrape.Of("perfscale_thread_last_cpu"));
        _config.Write(File(""));
        daemon.Signal("HUP");
        await Eventually.TrueAsync(
            async () => !(await daemon.ScrapeParsedAsync()).Types.ContainsKey("perfscale_thread_minor_faults_total"), "the metric is gone");
    }

    [Fact]
    public async Task Denied_io_is_a_warning()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && System.IO.File.Exists("/usr/bin/setpriv"), "needs root and setpriv(1) to run as another user's process");
        using Workload workload = new();
        _config.Write($"[[filter]]\npid = {workload.Pid}\n[collector]\nextended = [\"io\"]\n");
        // Root without its two capabilities: another user may not have access to the folder of the program.
        ProcessStartInfo start = new("/usr/bin/setpriv", ["--inh-caps=-all", "--bounding-set=-all", Daemon.Program, "check", "--config", _config.Path]) { RedirectStandardOutput = true };
        using Process check = Process.Start(start)!;
        string output = await check.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await check.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Contains($"warning: cannot read io of pid {workload.Pid}: ", output, StringComparison.Ordinal);
        Assert.Equal(0, check.ExitCode);
    }

    private static string File(string extended) => $"[[filter]]\nmatch = \"thread-exporter\"\n[collector]\nextended = [{extended}]\n";
}
