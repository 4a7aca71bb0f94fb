using System.Diagnostics;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.EndToEnd;

/// <summary>
/// The daemon with unusual clocks: stopped for a while (<see cref="ThreadExporter.Collection.Sampler"/>), and in a time namespace
/// (<see cref="ThreadExporter.Linux.Clocks"/>).
/// </summary>
public class ClockTests
{
    [SlowFact]
    public async Task A_daemon_that_was_stopped_counts_no_long_window_as_saturated()
    {
        using Workload workload = new();
        int hot = workload.Spawn("hot", "burn");
        await using Daemon daemon = await Daemon.StartAsync(["--filter", $"{workload.Pid}"]);
        await Task.Delay(500, TestContext.Current.CancellationToken);
        Stopwatch running = Stopwatch.StartNew();
        Support.ParsedScrape before = await daemon.ScrapeParsedAsync();
        daemon.Signal("STOP");
        running.Stop();
        await Task.Delay(3000, TestContext.Current.CancellationToken);
        running.Start();
        daemon.Signal("CONT");
        await Task.Delay(300, TestContext.Current.CancellationToken);
        Support.ParsedScrape after = await daemon.ScrapeParsedAsync();
        // At most the time in which the daemon was not stopped, and the adjacent window.
        Assert.InRange(Of(after, "perfscale_thread_saturated_seconds_total") - Of(before, "perfscale_thread_saturated_seconds_total"), 0, running.Elapsed.TotalSeconds + 1);
        Assert.InRange(Of(after, "perfscale_thread_cpu_peak_ratio"), 0, 1);
        Assert.True(after.Value("thread_exporter_sampler_late_ticks_total") > before.Value("thread_exporter_sampler_late_ticks_total"));
        Assert.Equal(0, await daemon.StopAsync());

        double Of(Support.ParsedScrape of, string name) => of.Of(name).Single(s => s.Labels["tid"] == $"{hot}").Number;
    }

    [SlowFact]
    public async Task In_a_time_namespace_the_start_time_of_a_process_is_correct()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/proc/self/ns/time"), "needs root and a kernel with time namespaces");
        using Workload workload = new();
        double plain = await StartTimeAsync(workload, Daemon.Program);
        double shifted = await StartTimeAsync(workload, "/usr/bin/unshare", "--time", "--boottime", "1000000", "--monotonic", "500000", "--fork", Daemon.Program);
        // The kernel reports start times by CLOCK_BOOTTIME of the reader's namespace, in ticks.
        Assert.InRange(shifted - plain, -0.1, 0.1);
    }

    private static async Task<double> StartTimeAsync(Workload workload, params string[] command)
    {
        using Process once = Process.Start(new ProcessStartInfo(command[0], [.. command[1..], "once", "--filter", $"{workload.Pid}"]) { RedirectStandardOutput = true })!;
        string text = await once.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await once.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, once.ExitCode);
        return Support.ParsedScrape.Parse(text).Value("perfscale_process_start_time_seconds");
    }
}
