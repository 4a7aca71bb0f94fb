using System.Diagnostics;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.EndToEnd;

/// <summary>
/// <see cref="ThreadExporter.Procfs.ProcfsRoot.SharesPidNamespace"/>: process clocks are read by pid. In a child pid namespace with the outer /proc,
/// the same pid is another process, whose clock must not be served.
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

        // The exporter runs in a new pid namespace with the outer /proc. It watches pid 1 of the outer namespace; pid 1 of its own namespace has
        // used hardly any CPU.
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
            // From the ticks of stat and the nanoseconds of the threads, whose sum is a tick or two larger; not from the clock of another process.
            Assert.InRange(cpu, ticks - 1e-6, ticks + 0.1);
        }
        Assert.True(scrape.Value("perfscale_process_cpu_seconds_total", ("pid", $"{outer.Pid}")) > 1);
    }

    [SlowFact]
    public async Task In_the_same_pid_namespace_the_nanosecond_clock_is_served()
    {
        using Workload workload = new();
        int hot = workload.Spawn("hot", "burn");
        Eventually.True(() => workload.Cpu(hot) > 100_000_000, "CPU time is used");
        (int code, string text, _) = await Daemon.RunAsync(["once", "--filter", $"{workload.Pid}"]);
        Assert.Equal(0, code);
        Sample cpu = Assert.Single(Support.ParsedScrape.Parse(text).Of("perfscale_process_cpu_seconds_total"));
        // Ticks would be whole hundredths of a second.
        Assert.NotEqual(0, cpu.Nanoseconds % 10_000_000);
    }
}
