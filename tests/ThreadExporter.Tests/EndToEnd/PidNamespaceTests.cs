using System.Diagnostics;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.EndToEnd;

/// <summary>
/// The process clock goes by pid. In a child pid namespace that sees the outer /proc, the same number is another process:
/// its clock must not be served.
/// </summary>
public class PidNamespaceTests
{
    [SlowFact]
    public async Task In_a_child_pid_namespace_no_other_processs_clock_is_served()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/usr/bin/unshare"), "needs root and unshare(1) for a pid namespace");
        using Workload outer = new();
        int hot = outer.Spawn("hot", "burn");
        Eventually.True(() => outer.Cpu(hot) >= 1_200_000_000, "1.2 s of CPU time are used");

        // The exporter runs as a low pid of a new namespace while /proc stays the outer one's. It watches an outer process
        // whose number it also has inside: pid 1, which has used hardly any CPU there.
        using Process inside = Process.Start(new ProcessStartInfo("/usr/bin/unshare",
            ["--pid", "--fork", Daemon.Program, "once", "--filter", $"1,{outer.Pid}", "--path.procfs", "/proc"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        string text = await inside.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        string error = await inside.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await inside.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(inside.ExitCode == 0, error);

        Support.ParsedScrape scrape = Support.ParsedScrape.Parse(text);
        foreach (string pid in (string[])["1", $"{outer.Pid}"])
        {
            (string, string) label = ("pid", pid);
            double cpu = scrape.Value("perfscale_process_cpu_seconds_total", label);
            double ticks = scrape.Value("perfscale_process_cpu_user_seconds_total", label) + scrape.Value("perfscale_process_cpu_kernel_seconds_total", label);
            // From stat's ticks and the threads' own nanoseconds, whose sum is ahead of them by a tick or two; not from another process's clock.
            Assert.InRange(cpu, ticks - 1e-6, ticks + 0.1);
        }
        Assert.True(scrape.Value("perfscale_process_cpu_seconds_total", ("pid", $"{outer.Pid}")) > 1);
    }

    [SlowFact]
    public async Task In_our_own_namespace_the_nanosecond_clock_is_served()
    {
        using Workload workload = new();
        int hot = workload.Spawn("hot", "burn");
        Eventually.True(() => workload.Cpu(hot) > 100_000_000, "CPU time is used");
        (int code, string text, _) = await Daemon.RunAsync(["once", "--filter", $"{workload.Pid}"]);
        Assert.Equal(0, code);
        Sample cpu = Assert.Single(Support.ParsedScrape.Parse(text).Of("perfscale_process_cpu_seconds_total"));
        // Ticks would be whole hundredths.
        Assert.NotEqual(0, cpu.Nanoseconds % 10_000_000);
    }
}
