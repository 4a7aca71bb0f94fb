using System.Globalization;
using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Model;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Series;

/// <summary>
/// <see cref="ThreadExporter.Series.CpuLedger"/> with real processes: the CPU time adds up to the nanosecond between any two collections.
/// </summary>
public class CpuLedgerTests
{
    private static readonly ThreadsConfig[] Details =
    [
        new(),
        new() { Top = 1 },
        new() { Top = 2, Include = ["*a*", "b", "c", "worker-*"] },
        new() { Exclude = ["a", "worker-*"] },
        new() { Detail = ThreadDetail.Name },
        new() { Detail = ThreadDetail.Name, FoldDigits = true },
        new() { Detail = ThreadDetail.Name, FoldDigits = true, Top = 1 },
        new() { Detail = ThreadDetail.None },
        new() { FoldDigits = true },
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Every_nanosecond_is_shown_once_whatever_threads_and_filters_do(int seed)
    {
        using Workload workload = new();
        Random random = new(seed);
        ThreadsConfig threads = new();
        int maxThreads = 20_000, maxSamples = 200_000;
        using LiveCollector live = new(Config(workload.Pid, threads, maxThreads, maxSamples));
        Ledger ledger = new();
        List<int> tids = [.. Enumerable.Range(0, 6).Select(i => workload.Spawn($"worker-{i}", i < 2 ? "30" : "2"))];
        int started = 6;
        for (int i = 0; i < 300; i++)
        {
            switch (random.Next(9))
            {
                case 0:
                    tids.Add(workload.Spawn($"worker-{started++ % 8}", random.Next(3) == 0 ? "20" : "1"));
                    break;
                case 1 when tids.Count > 2:
                    int index = random.Next(tids.Count);
                    workload.Exit(tids[index]);
                    tids.RemoveAt(index);
                    break;
                case 2:
                    workload.Churn(3, random.Next(3));
                    break;
                case 3 or 4:
                    workload.Rename(tids[random.Next(tids.Count)], random.Next(4) switch { 0 => "a"u8, 1 => "b"u8, 2 => "c"u8, _ => [0xff] });
                    break;
                case 5:
                    threads = Details[random.Next(Details.Length)];
                    break;
                case 6:
                    maxThreads = random.Next(2) == 0 ? 20_000 : random.Next(1, 6);
                    break;
                case 7:
                    maxSamples = random.Next(2) == 0 ? 200_000 : random.Next(1, 150);
                    break;
                default:
                    Thread.Sleep(random.Next(20));
                    break;
            }
            live.Use(Config(workload.Pid, threads, maxThreads, maxSamples));
            live.Collect(workload.Pid);
            ledger.Take(live.Render());
            Assert.True(ledger.Error is null, $"after step {i} of seed {seed}: {ledger.Error}");
        }
        Assert.Equal(299, ledger.Intervals);
        Assert.Equal(0, ledger.ErrorOfTheWholeRun);
        Assert.True(ledger.Sum("perfscale_process_folded_threads_cpu_seconds_total") > 0);
        Assert.True(ledger.Sum("perfscale_process_transient_threads_cpu_seconds_total") > 0);
        Assert.True(ledger.Sum("perfscale_thread_cpu_seconds_total") > 0);
    }

    [Fact]
    public void The_attributed_time_of_threads_is_that_of_their_clocks()
    {
        using Workload workload = new();
        int[] tids = [.. Enumerable.Range(0, 3).Select(i => workload.Get($"steps t{i}"))];
        using LiveCollector live = new(Config(workload.Pid, new ThreadsConfig(), 100, 10_000));
        Ledger ledger = new();
        live.Collect(workload.Pid);
        ledger.Take(live.Render());
        long[] before = [.. tids.Select(workload.Cpu)];
        for (int i = 0; i < 30; i++)
        {
            workload.Do($"do {tids[i % 3]} burst {(i % 3 + 1) * 7000}");
            live.Collect(workload.Pid);
            ledger.Take(live.Render());
        }
        Eventually.True(() => tids.All(t => Kernel.State(workload.Pid, t) == 'S'), "they sleep, and their time is booked");
        live.Collect(workload.Pid);
        ledger.Take(live.Render());
        Assert.Null(ledger.Error);
        for (int i = 0; i < tids.Length; i++)
        {
            long expected = workload.Cpu(tids[i]) - before[i];
            long shown = ledger.Increases.Single(s => s.Key.StartsWith("perfscale_thread_cpu_seconds_total{", StringComparison.Ordinal)
                && s.Key.Contains($"tid=\"{tids[i]}\"", StringComparison.Ordinal)).Value;
            Assert.True(expected > 60_000_000);
            Assert.InRange(shown, expected - expected / 100, expected + expected / 100);
            TestContext.Current.SendDiagnosticMessage("thread {0}: {1} ns by its own clock, {2} ns attributed", i, expected, shown);
        }
    }

    [Theory]
    [InlineData("tid", 0)]
    [InlineData("tid", 300)]
    [InlineData("name", 300)]
    [InlineData("none", 300)]
    public void The_cpu_time_adds_up_after_exec_by_a_worker_thread(string detail, int workerMilliseconds) =>
        Exec(detail, $"do {{0}} burst {workerMilliseconds * 1000}", "post {0} exec /bin/sleep 60");

    private static void Exec(string detail, params string[] commands)
    {
        using Workload workload = new();
        int worker = workload.Get("steps worker");
        workload.Do(string.Format(CultureInfo.InvariantCulture, commands[0], worker));
        using LiveCollector live = new(Config(workload.Pid, new ThreadsConfig { Detail = Enum.Parse<ThreadDetail>(detail, ignoreCase: true) }, 100, 10_000));
        Ledger ledger = new();
        WatchedProcess process = null!;
        void Collect()
        {
            process = live.Collect(workload.Pid)!;
            ledger.Take(live.Render());
        }
        Collect();
        Collect();
        workload.Do(string.Format(CultureInfo.InvariantCulture, commands[1], worker));
        Eventually.True(() => Kernel.Name(workload.Pid, workload.Pid) == "sleep" && Kernel.State(workload.Pid, workload.Pid) == 'S', "exec is done");
        // The name changes with the next rescan; it is still the same process.
        Collect();
        Collect();
        Assert.Null(ledger.Error);
        // What the worker had used before is not counted a second time as the leader's.
        Assert.InRange(process.Balance.Cpu, process.Reading.Clock, process.Reading.Clock + 50_000_000);
    }

    [Fact]
    public void The_cpu_time_is_never_below_the_process_clock_nor_above_it_by_more_than_ran_meanwhile()
    {
        using Workload workload = new();
        for (int i = 0; i < 4; i++)
            workload.Spawn($"burn-{i}", "burn");
        using LiveCollector live = new(Config(workload.Pid, new ThreadsConfig(), 100, 10_000));
        for (int i = 0; i < 50; i++)
        {
            long before = Clock(workload.Pid);
            long cpu = live.Collect(workload.Pid)!.Balance.Cpu;
            Assert.InRange(cpu, before, Clock(workload.Pid) + 20_000_000L * Environment.ProcessorCount);
            workload.Churn(1, 1);
        }
    }

    [Fact]
    public void Pools_of_numbered_threads_have_few_series()
    {
        using Workload workload = new();
        for (int i = 0; i < 400; i++)
        {
            workload.Spawn($"pool-{i % 4}-thr-{i}", "idle");
            workload.Spawn($"GC-Thread#{i}", "idle");
        }
        using LiveCollector live = new(Config(workload.Pid, new ThreadsConfig { Detail = ThreadDetail.Name, FoldDigits = true }, 20_000, 200_000));
        live.Collect(workload.Pid);
        Support.ParsedScrape text = Support.ParsedScrape.Parse(live.Render());
        Assert.InRange(text.Of("perfscale_thread_cpu_seconds_total").Count(), 2, 20);
        Assert.Equal(400, text.Value("perfscale_thread_group_threads", ("tname", "pool-*-thr-*")));
        Assert.DoesNotContain(text.Of("perfscale_thread_group_threads"), s => s.Labels.ContainsKey("tid"));
    }

    private static long Clock(int pid)
    {
        Assert.True(Clocks.TryGetProcessCpu(pid, out long clock));
        return clock;
    }

    private static ExporterConfig Config(int pid, ThreadsConfig threads, int maxThreads, int maxSamples)
    {
        ExporterConfig config = LiveCollector.Config(LiveCollector.Pid(pid) with { Threads = threads });
        return config with { Collector = config.Collector with { MaxThreads = maxThreads, MaxSamples = maxSamples } };
    }
}
