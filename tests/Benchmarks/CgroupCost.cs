using System.Diagnostics;
using System.Globalization;
using ThreadExporter.Cgroups;
using ThreadExporter.Collection;
using ThreadExporter.Configuration;
using ThreadExporter.Exposition;
using ThreadExporter.Linux;
using ThreadExporter.Matching;
using ThreadExporter.Procfs;
using ThreadExporter.Settings;

namespace ThreadExporter.Benchmarks;

/// <summary>
/// By how much cgroup series raise the cost of a scrape (collection and text, HTTP left out): real processes, each in a real cgroup of its own.
/// With and without them by turns, so that a change of the machine's speed meets both.
/// </summary>
internal static class CgroupCost
{
    private const int WarmUp = 10;
    private const int Rounds = 100;

    private const string Script = """
        n=$1; limit=$2; shift 2
        for ((i = 0; i < n; i++)); do
            for hierarchy in "$@"; do mkdir "$hierarchy/p$i"; done
            [ "$limit" = none ] || { echo 50000 > "$1/p$i/cpu.cfs_quota_us"; }
            (for hierarchy in "$@"; do echo $BASHPID > "$hierarchy/p$i/cgroup.procs"; done; exec sleep 1000) &
        done
        echo there
        read
        kill $(jobs -p)
        wait
        for hierarchy in "$@"; do rmdir "$hierarchy"/p* "$hierarchy"; done
        """;

    /// <param name="processes">How many processes and cgroups.</param>
    /// <param name="version">1 or 2.</param>
    /// <param name="limited">Whether each cgroup has a limit (version 1).</param>
    public static async Task RunAsync(int processes, int version, bool limited)
    {
        string name = $"te-bench-{Environment.ProcessId}";
        string[] hierarchies = version == 1 ? ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpuacct"]
            : [File.ReadLines("/proc/self/mounts").Select(static l => l.Split(' ')).First(static f => f[2] == "cgroup2")[1]];
        string root = version == 1 ? "/sys/fs/cgroup" : hierarchies[0];
        string[] directories = [.. hierarchies.Select(h => $"{h}/{name}")];
        foreach (string directory in directories)
            Directory.CreateDirectory(directory);
        using Process shell = Process.Start(new ProcessStartInfo("/bin/bash", ["-c", Script, "bash", processes.ToString(CultureInfo.InvariantCulture), limited ? "half" : "none", .. directories])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        try
        {
            await shell.StandardOutput.ReadLineAsync();
            foreach (TimeSpan rescan in (ReadOnlySpan<TimeSpan>)[TimeSpan.Zero, TimeSpan.FromHours(1)])
                Measure(root, name, processes, rescan);
        }
        finally
        {
            shell.StandardInput.Close();
            await shell.WaitForExitAsync();
        }
    }

    private static void Measure(string root, string name, int processes, TimeSpan rescan)
    {
        // All sleeping processes of the benchmark; without the filter's cgroup key, which would read the same file.
        ExporterConfig config = new()
        {
            Filters = [new FilterConfig { Name = "bench", Cmdline = new System.Text.RegularExpressions.Regex("^sleep 1000$") }],
            Collector = new CollectorConfig { RescanInterval = rescan },
        };
        ConfigSnapshot snapshot = new(config, Matcher.Compile(config.Filters), DateTimeOffset.UnixEpoch);
        using ProcfsRoot procfs = ProcfsRoot.Open("/proc");
        CgroupfsRoot cgroupfs = CgroupfsRoot.Open(root, out string notice) ?? throw new InvalidOperationException(notice);
        CollectionGate gate = new();
        using Collector without = new(procfs, gate);
        using Collector with = new(procfs, gate, cgroups: new CgroupTable(cgroupfs));
        ScrapeCoordinator[] scrapes = [.. ((Collector[])[without, with]).Select(c => new ScrapeCoordinator(c, gate, new SelfMetrics(), () => snapshot))];
        List<double>[] wall = [[], []], cpu = [[], []];
        for (int round = 0; round < WarmUp + Rounds; round++)
        {
            for (int i = 0; i < scrapes.Length; i++)
            {
                long start = Stopwatch.GetTimestamp();
                Clocks.TryGetProcessCpu(Environment.ProcessId, out long cpuStart);
                scrapes[i].GetAsync(default).GetAwaiter().GetResult().Release();
                Clocks.TryGetProcessCpu(Environment.ProcessId, out long cpuEnd);
                if (round < WarmUp)
                    continue;
                wall[i].Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                cpu[i].Add((cpuEnd - cpuStart) / 1e6);
            }
        }
        int shown = with.Cgroups!.Shown.Count(n => n.Path.StartsWith($"/{name}/", StringComparison.Ordinal));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{with.Processes.Count} processes, {shown} of {processes} cgroups, {(rescan == TimeSpan.Zero ? "with" : "without")} a rescan in each collection: "
            + $"CPU {At(cpu[0], 0.5):F3} ms without, {At(cpu[1], 0.5):F3} ms with cgroup series: +{At(cpu[1], 0.5) - At(cpu[0], 0.5):F3} ms, in the fastest tenth +{At(cpu[1], 0.1) - At(cpu[0], 0.1):F3} ms; "
            + $"wall +{At(wall[1], 0.5) - At(wall[0], 0.5):F3} ms, in the fastest tenth +{At(wall[1], 0.1) - At(wall[0], 0.1):F3} ms; {with.Cgroups.Descriptors} descriptors"));
    }

    // The fastest tenth is what it costs while nobody else uses the machine.
    private static double At(List<double> values, double share)
    {
        values.Sort();
        return values[(int)(values.Count * share)];
    }
}
