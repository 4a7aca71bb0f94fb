using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Series;

/// <summary>
/// <see cref="ThreadExporter.Series.ExitLedger"/> and <see cref="ThreadExporter.Collection.ExitCollector"/> with the kernel's exit records: threads
/// that exit between collections have names, and everything still adds up.
/// </summary>
public class ExitLedgerTests
{
    private const string Thread = "perfscale_thread_cpu_seconds_total", Exited = "perfscale_process_exited_threads_cpu_seconds_total",
        Exits = "perfscale_process_exited_threads_total", Transient = "perfscale_process_transient_threads_cpu_seconds_total",
        Folded = "perfscale_process_folded_threads_cpu_seconds_total", Cpu = "perfscale_process_cpu_seconds_total";

    [Fact]
    public void Exited_threads_have_series_by_name_with_folded_digits()
    {
        using Workload workload = new();
        using LiveCollector live = new(LiveCollector.Config(LiveCollector.Pid(workload.Pid)));
        live.UseExitRecords();
        Ledger ledger = new();
        Churn(workload, live, ledger, rounds: 6);
        ParsedScrape scrape = Take(live, ledger);
        Assert.Equal(["churn-*"], scrape.Of(Exited).Select(s => s.Labels["tname"]));
        // The first interval with the name shows it with 0. At its end, and at the last collection, a thread may still be in the kernel's exit.
        Assert.InRange(scrape.Value(Exits), 48, 52);
        AssertMostlyNamed(ledger, Exited);
    }

    [Fact]
    public void With_detail_name_they_are_in_the_series_of_their_name()
    {
        using Workload workload = new();
        FilterConfig filter = LiveCollector.Pid(workload.Pid) with { Threads = new ThreadsConfig { Detail = ThreadDetail.Name, FoldDigits = true } };
        using LiveCollector live = new(LiveCollector.Config(filter));
        live.UseExitRecords();
        Ledger ledger = new();
        Churn(workload, live, ledger, rounds: 6);
        // A thread that was joined is listed until the kernel has finished its exit.
        Eventually.True(() => Take(live, ledger).Value("perfscale_thread_group_threads", ("tname", "churn-*")) == 0, "no live thread");
        AssertMostlyNamed(ledger, Thread);
    }

    [Fact]
    public void Threads_that_the_filter_does_not_show_are_folded()
    {
        using Workload workload = new();
        FilterConfig filter = LiveCollector.Pid(workload.Pid) with { Threads = new ThreadsConfig { Exclude = ["churn-*"] } };
        using LiveCollector live = new(LiveCollector.Config(filter));
        live.UseExitRecords();
        Ledger ledger = new();
        Churn(workload, live, ledger, rounds: 5);
        Assert.Empty(Take(live, ledger).Of(Exited));
        AssertMostlyNamed(ledger, Folded);
    }

    [Fact]
    public void What_a_thread_used_after_it_was_last_seen_goes_to_its_name()
    {
        using Workload workload = new();
        using LiveCollector live = new(LiveCollector.Config(LiveCollector.Pid(workload.Pid)));
        live.UseExitRecords();
        Ledger ledger = new();
        // The first one only makes the name known. On a busy host a record may come an interval late.
        for (int i = 0; i < 5; i++)
        {
            int tid = workload.Get("steps late");
            workload.Do($"do {tid} burst 30000");
            Take(live, ledger);
            workload.Do($"do {tid} burst 60000");
            workload.Exit(tid);
            Take(live, ledger);
        }
        ParsedScrape scrape = Take(live, ledger);
        Assert.True(ledger.Error is null, ledger.Error);
        // Not the 30 ms of each that its series had shown.
        Assert.InRange(scrape.Value(Exited, ("tname", "late")), 0.11, 0.32);
        Assert.InRange(scrape.Value(Exits, ("tname", "late")), 3, 5);
    }

    [Fact]
    public void Children_that_no_collection_has_seen_have_names_in_their_group()
    {
        using Shell shell = new("while read n; do i=0; while [ $i -lt $n ]; do (j=0; while [ $j -lt 5000 ]; do j=$((j + 1)); done); i=$((i + 1)); done; echo done; done");
        using LiveCollector live = new(LiveCollector.Config(shell.Filter with { Group = true, Threads = new ThreadsConfig { Detail = ThreadDetail.Name } }));
        live.UseExitRecords();
        Ledger ledger = new();
        for (int round = 0; round < 8; round++)
        {
            shell.Run(30);
            Take(live, ledger);
        }
        Assert.True(ledger.Error is null, ledger.Error);
        AssertMostlyNamed(ledger, Thread);
    }

    [Fact]
    public void Processes_outside_of_groups_that_no_collection_has_seen_are_counted_by_filter()
    {
        using Shell shell = new("while read n; do /bin/sh -c 'j=0; while [ $j -lt 30000 ]; do j=$((j + 1)); done'; echo done; done");
        ParsedScrape scrape = RunThreeTimes(shell);
        Assert.Equal(2, scrape.Value("perfscale_exited_processes_total", ("filter", "shell"), ("daemon", "sh"), ("pname", "sh")));
        Assert.InRange(scrape.Value("perfscale_exited_processes_cpu_seconds_total", ("filter", "shell"), ("tname", "sh")), 0.005, 1);
        Assert.InRange(scrape.Value("perfscale_process_waited_children_cpu_seconds_total"), 0.01, 2);
    }

    [Fact]
    public void Children_of_a_parent_that_no_collection_has_seen_count_too()
    {
        using Shell shell = new(
            "while read n; do (cp /bin/true $0; rm $0; (j=0; while [ $j -lt 30000 ]; do j=$((j + 1)); done); true); echo done; done", Path.GetTempFileName());
        ParsedScrape scrape = RunThreeTimes(shell);
        // In each round: the subshell and what it started (cp, rm, the inner subshell). The first round only makes the names known.
        Assert.Equal(4, scrape.Value("perfscale_exited_processes_total", ("pname", "sh")));
        Assert.Equal(2, scrape.Value("perfscale_exited_processes_total", ("pname", "cp")));
    }

    [Fact]
    public void Names_are_bounded()
    {
        using Workload workload = new();
        using LiveCollector live = new(LiveCollector.Config(LiveCollector.Pid(workload.Pid)));
        live.UseExitRecords();
        Ledger ledger = new();
        Take(live, ledger);
        for (int round = 0; round < 2; round++)
        {
            for (int i = 0; i < 80; i++)
                workload.Exit(workload.Spawn($"{(char)('a' + i / 26)}{(char)('a' + i % 26)}", "idle"));
            Take(live, ledger);
        }
        ParsedScrape scrape = Take(live, ledger);
        Assert.True(ledger.Error is null, ledger.Error);
        Assert.Equal(65, scrape.Of(Exits).Count());
        Assert.InRange(scrape.Value(Exits, ("tname", "(other)")), 10, 40);
    }

    [Fact]
    public void A_zombie_main_thread_and_exec_by_a_worker_count_nothing_twice()
    {
        using Workload workload = new();
        using LiveCollector live = new(LiveCollector.Config(LiveCollector.Pid(workload.Pid)));
        live.UseExitRecords();
        Ledger ledger = new();
        workload.Churn(5, 2);
        Take(live, ledger);
        workload.Do("leave");
        for (int i = 0; i < 4; i++)
        {
            workload.Churn(5, 2);
            ParsedScrape scrape = Take(live, ledger);
            Assert.True(ledger.Error is null, ledger.Error);
            // Its record has come, and it is still listed.
            Assert.DoesNotContain(scrape.Of(Exits), s => s.Labels["tname"] == "workload");
        }
        int worker = workload.Get("steps worker");
        workload.Do($"do {worker} burst 20000");
        Take(live, ledger);
        workload.Do($"post {worker} exec /bin/sleep 60");
        Eventually.True(() => File.ReadAllText($"/proc/{workload.Pid}/comm") == "sleep\n", "exec");
        for (int i = 0; i < 3; i++)
        {
            Take(live, ledger);
            Assert.True(ledger.Error is null, ledger.Error);
        }
        Assert.True(ledger.Sum(Cpu) >= ledger.Sum(Thread));
    }

    [Fact]
    public void Exits_of_other_processes_change_nothing()
    {
        using Workload watched = new();
        using Workload other = new();
        using LiveCollector live = new(LiveCollector.Config(LiveCollector.Pid(watched.Pid)));
        live.UseExitRecords();
        Ledger ledger = new();
        for (int i = 0; i < 3; i++)
        {
            other.Churn(2000, 0);
            Take(live, ledger);
        }
        Assert.True(ledger.Error is null, ledger.Error);
        Assert.Empty(Take(live, ledger).Of(Exits));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Everything_adds_up_whatever_threads_and_filters_do(int seed)
    {
        using Workload workload = new();
        Random random = new(seed);
        using LiveCollector live = new(LiveCollector.Config(LiveCollector.Pid(workload.Pid)));
        live.UseExitRecords();
        Ledger ledger = new();
        List<int> tids = [.. Enumerable.Range(0, 4).Select(i => workload.Spawn($"worker-{i}", "20"))];
        for (int i = 0; i < 150; i++)
        {
            switch (random.Next(6))
            {
                case 0:
                    tids.Add(workload.Spawn($"worker-{i % 8}", "20"));
                    break;
                case 1 when tids.Count > 2:
                    int index = random.Next(tids.Count);
                    workload.Exit(tids[index]);
                    tids.RemoveAt(index);
                    break;
                case 2 or 3:
                    workload.Churn(4, random.Next(3));
                    break;
                case 4:
                    ThreadsConfig threads = random.Next(4) switch
                    {
                        0 => new() { Detail = ThreadDetail.Name },
                        1 => new() { Detail = ThreadDetail.Name, FoldDigits = true, Exclude = ["worker-1"] },
                        2 => new() { Detail = ThreadDetail.None },
                        _ => new() { Exclude = ["churn-3"] },
                    };
                    ExitsMode exits = random.Next(3) == 0 ? ExitsMode.Off : ExitsMode.Auto;
                    ExporterConfig config = LiveCollector.Config(LiveCollector.Pid(workload.Pid) with { Threads = threads });
                    live.Use(config with { Collector = config.Collector with { Exits = exits } });
                    if (exits == ExitsMode.Auto)
                        live.UseExitRecords(() => Take(live, ledger));
                    break;
                default:
                    workload.Rename(tids[random.Next(tids.Count)], random.Next(2) == 0 ? "a"u8 : "b"u8);
                    break;
            }
            Take(live, ledger);
            Assert.True(ledger.Error is null, $"after step {i} of seed {seed}: {ledger.Error}");
        }
        Assert.True(ledger.Sum(Exited) + ledger.Sum(Thread) > 0);
    }

    private static ParsedScrape RunThreeTimes(Shell shell)
    {
        using LiveCollector live = new(LiveCollector.Config(shell.Filter));
        live.UseExitRecords();
        for (int round = 0; round < 3; round++)
        {
            shell.Run(1);
            live.Collect(shell.Pid);
        }
        return ParsedScrape.Parse(live.Render());
    }

    private static void Churn(Workload workload, LiveCollector live, Ledger ledger, int rounds)
    {
        for (int round = 0; round < rounds; round++)
        {
            workload.Churn(10, 4);
            Take(live, ledger);
        }
        Assert.True(ledger.Error is null, ledger.Error);
    }

    private static ParsedScrape Take(LiveCollector live, Ledger ledger)
    {
        live.Collector.Collect(live.Snapshot);
        ParsedScrape scrape = ParsedScrape.Parse(live.Render());
        ledger.Take(scrape);
        return scrape;
    }

    /// <summary>The first interval of a new name is transient; of the others hardly anything is.</summary>
    private static void AssertMostlyNamed(Ledger ledger, string metric)
    {
        Assert.True(ledger.Sum(metric) > ledger.Sum(Cpu) / 2, $"{ledger.Sum(metric)} of {ledger.Sum(Cpu)} ns, transient {ledger.Sum(Transient)}");
        Assert.True(ledger.Sum(Transient) < ledger.Sum(Cpu) / 3, $"transient {ledger.Sum(Transient)} of {ledger.Sum(Cpu)} ns");
        Assert.True(ledger.Sum(Cpu) > 10 * Clocks.NanosecondsPerTick);
    }
}
