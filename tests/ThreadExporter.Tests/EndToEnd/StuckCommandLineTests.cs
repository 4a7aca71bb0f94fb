using System.Diagnostics;
using System.Text;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.EndToEnd;

/// <summary>/proc/PID/cmdline of a process that holds its memory map's lock blocks until it lets go: minutes, or for ever.</summary>
public sealed class StuckCommandLineTests : IDisposable
{
    private const int Healthy = 20;
    private readonly FixtureProc _proc = new();

    public void Dispose() => _proc.Dispose();

    [SlowFact]
    public async Task It_delays_nothing_but_its_own_name_and_that_comes_when_the_process_lets_go()
    {
        Ceph(10, Healthy);
        using FuseFile stuck = new(Path.Combine(_proc.Root, "10/cmdline"), _ => (FuseFile.Never, 0));
        await using Daemon daemon = await Daemon.StartAsync(["--filter", "ceph-osd", "--path.procfs", _proc.Root]);
        long begin = Stopwatch.GetTimestamp();
        for (int i = 1; i <= 20; i++)
        {
            _proc.SchedStat(10, 10, i * 1_000_000, 0, 1);
            Support.ParsedScrape scrape = await daemon.ScrapeParsedAsync();
            Assert.Equal(i * 1_000_000, scrape.Of("perfscale_thread_cpu_seconds_total").Single(s => s.Labels["ppid"] == "10").Nanoseconds);
            Assert.Equal("osd.20", Daemons(scrape)["20"]);
            Assert.Equal("ceph-osd", Daemons(scrape)["10"]);
            Assert.Equal(1, scrape.Value("thread_exporter_read_errors_total", ("reason", "other")));
        }
        // The patience of every collection would be a second; on a busy machine much else takes time.
        Assert.True(Stopwatch.GetElapsedTime(begin) < TimeSpan.FromSeconds(10));
        Assert.Equal(1, stuck.Reads);

        stuck.Release(Encoding.ASCII.GetBytes("ceph-osd\0--id\010\0"));
        await UntilNamedAsync(daemon);
        Assert.Equal(0, await daemon.StopAsync());
    }

    [SlowFact]
    public async Task Even_the_first_collection_knows_the_names_of_those_behind_it()
    {
        Ceph(10, 11, 12, Healthy);
        using FuseFile stuck = new(Path.Combine(_proc.Root, "10/cmdline"), _ => (FuseFile.Never, 0));
        foreach (int other in (int[])[11, 12])
        {
            File.Delete(Path.Combine(_proc.Root, $"{other}/cmdline"));
            File.CreateSymbolicLink(Path.Combine(_proc.Root, $"{other}/cmdline"), Path.Combine(_proc.Root, "10/cmdline"));
        }
        // Nothing in the way of the process's end, either.
        (int code, string text, string error) = await Daemon.RunAsync(["once", "--filter", "ceph-osd", "--path.procfs", _proc.Root]);
        Assert.True(code == 0, error);
        Support.ParsedScrape scrape = Support.ParsedScrape.Parse(text);
        Assert.Equal(["ceph-osd", "ceph-osd", "ceph-osd", "osd.20"], Daemons(scrape).OrderBy(d => d.Key).Select(d => d.Value));
        Assert.Equal(3, scrape.Value("thread_exporter_read_errors_total", ("reason", "other")));
    }

    [SlowFact]
    public async Task A_late_answer_of_a_leader_that_has_ended_leads_to_the_threads_that_live()
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
    public async Task Many_of_them_cost_no_more_threads_than_there_is_a_bound_for()
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
