using System.Diagnostics;
using System.Text;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.EndToEnd;

/// <summary>
/// <see cref="ThreadExporter.Collection.CommandLineReader"/>: /proc/PID/cmdline blocks while the process holds its mmap lock, for minutes or
/// forever.
/// </summary>
public sealed class StuckCommandLineTests : IDisposable
{
    private const int Healthy = 20;
    private readonly FixtureProc _proc = new();

    public void Dispose() => _proc.Dispose();

    [SlowFact]
    public async Task A_stuck_process_delays_only_its_own_name_which_is_shown_when_the_lock_is_released()
    {
        Ceph(10, Healthy);
        using FuseFile stuck = new(Path.Combine(_proc.Root, "10/cmdline"), _ => (FuseFile.Never, 0));
        await using Daemon daemon = await Daemon.StartAsync(["--filter", "ceph-osd", "--path.procfs", _proc.Root]);
        long start = Stopwatch.GetTimestamp();
        for (int i = 1; i <= 20; i++)
        {
            _proc.SchedStat(10, 10, i * 1_000_000, 0, 1);
            Support.ParsedScrape scrape = await daemon.ScrapeParsedAsync();
            Assert.Equal(i * 1_000_000, scrape.Of("perfscale_thread_cpu_seconds_total").Single(s => s.Labels["ppid"] == "10").Nanoseconds);
            Assert.Equal("osd.20", Daemons(scrape)["20"]);
            Assert.Equal("ceph-osd", Daemons(scrape)["10"]);
            Assert.Equal(1, scrape.Value("thread_exporter_read_errors_total", ("reason", "other")));
        }
        // If each collection waited for its timeout, it would be a second; on a busy machine other work takes time, too.
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(10));
        Assert.Equal(1, stuck.Reads);

        stuck.Release(Encoding.ASCII.GetBytes("ceph-osd\0--id\010\0"));
        await UntilNamedAsync(daemon);
        Assert.Equal(0, await daemon.StopAsync());
    }

    [SlowFact]
    public async Task The_first_collection_reads_the_names_of_the_processes_after_a_stuck_one()
    {
        Ceph(10, 11, 12, Healthy);
        using FuseFile stuck = new(Path.Combine(_proc.Root, "10/cmdline"), _ => (FuseFile.Never, 0));
        foreach (int other in (int[])[11, 12])
        {
            File.Delete(Path.Combine(_proc.Root, $"{other}/cmdline"));
            File.CreateSymbolicLink(Path.Combine(_proc.Root, $"{other}/cmdline"), Path.Combine(_proc.Root, "10/cmdline"));
        }
        // It does not block the exit of the daemon either.
        (int code, string text, string error) = await Daemon.RunAsync(["once", "--filter", "ceph-osd", "--path.procfs", _proc.Root]);
        Assert.True(code == 0, error);
        Support.ParsedScrape scrape = Support.ParsedScrape.Parse(text);
        Assert.Equal(["ceph-osd", "ceph-osd", "ceph-osd", "osd.20"], Daemons(scrape).OrderBy(d => d.Key).Select(d => d.Value));
        Assert.Equal(3, scrape.Value("thread_exporter_read_errors_total", ("reason", "other")));
    }

    [SlowFact]
    public async Task A_late_empty_result_of_an_exited_leader_is_replaced_by_that_of_a_live_thread()
    {
        Ceph(10);
        _proc.Thread(10, 11, "worker"u8);
        _proc.Write("10/task/11/cmdline", "ceph-osd\0--id\010\0"u8);
        using FuseFile stuck = new(Path.Combine(_proc.Root, "10/cmdline"), read => (read == 0 ? FuseFile.Never : FuseFile.Empty, 0));
        await using Daemon daemon = await Daemon.StartAsync(["--filter", "ceph-osd", "--path.procfs", _proc.Root]);
        Assert.Equal("ceph-osd", Daemons(await daemon.ScrapeParsedAsync())["10"]);
        stuck.Release(FuseFile.Empty);
        await UntilNamedAsync(daemon);
    }

    [SlowFact]
    public async Task Many_stuck_processes_use_a_limited_number_of_threads()
    {
        int[] many = [.. Enumerable.Range(100, 60)];
        Ceph([10, .. many, Healthy]);
        using FuseFile stuck = new(Path.Combine(_proc.Root, "10/cmdline"), _ => (FuseFile.Never, 0));
        foreach (int other in many)
        {
            File.Delete(Path.Combine(_proc.Root, $"{other}/cmdline"));
            File.CreateSymbolicLink(Path.Combine(_proc.Root, $"{other}/cmdline"), Path.Combine(_proc.Root, "10/cmdline"));
        }
        await using Daemon daemon = await Daemon.StartAsync(["--filter", "ceph-osd", "--path.procfs", _proc.Root]);
        for (int i = 0; i < 5; i++)
            Assert.Equal(62, (await daemon.ScrapeParsedAsync()).Of("perfscale_thread_cpu_seconds_total").Count());
        Assert.InRange(Directory.GetDirectories($"/proc/{daemon.Pid}/task").Count(t => File.ReadAllText(t + "/comm") == "cmdline\n"), 2, 33);
        stuck.Release(Encoding.ASCII.GetBytes("ceph-osd\0--id\07\0"));
        await Eventually.ValueAsync(
            async () => string.Join(' ', Daemons(await daemon.ScrapeParsedAsync()).Values), n => !n.Contains("ceph-osd", StringComparison.Ordinal), "all names");
    }

    private static Task<string> UntilNamedAsync(Daemon daemon) =>
        Eventually.ValueAsync(async () => Daemons(await daemon.ScrapeParsedAsync())["10"], name => name == "osd.10", "the name osd.10");

    private void Ceph(params int[] pids)
    {
        foreach (int pid in pids)
        {
            _proc.Process(pid, "ceph-osd", cmdline: $"ceph-osd --id {pid}");
            _proc.Thread(pid, pid, "ceph-osd"u8);
        }
    }

    private static Dictionary<string, string> Daemons(Support.ParsedScrape scrape) =>
        scrape.Of("perfscale_process_threads").ToDictionary(s => s.Labels["pid"], s => s.Labels["daemon"]);
}
