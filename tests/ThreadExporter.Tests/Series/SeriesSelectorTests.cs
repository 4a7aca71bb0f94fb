using System.Text;
using ThreadExporter.Configuration;
using ThreadExporter.Model;
using ThreadExporter.Series;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Series;

/// <summary>
/// <see cref="SeriesSelector"/> and <see cref="SeriesAssigner"/>: which series are shown, and with which
/// values, on a fixture.
/// </summary>
public sealed class SeriesSelectorTests : IDisposable
{
    private const long Second = 1_000_000_000;
    private const string Cpu = "perfscale_thread_cpu_seconds_total";

    private readonly FixtureProc _proc = new();
    private readonly Dictionary<int, long> _cpu = [];
    private LiveCollector? _live;
    private ThreadsConfig _threads = new();
    // By path: an open plain file can still be read after its thread has exited.
    private CollectorConfig _limits = new() { RescanInterval = TimeSpan.Zero, MaxDescriptors = 0 };
    private int _threadCount;

    public void Dispose()
    {
        _live?.Dispose();
        _proc.Dispose();
    }

    [Fact]
    public void Top_shows_the_busiest_threads_at_once_and_keeps_recent_ones_up_to_twice_as_many()
    {
        Process(10, 11, 12, 13, 14);
        _threads = new ThreadsConfig { Top = 1 };
        Run(12, 5);
        Assert.Equal(["12"], Shown());
        Run(13, 20);
        Assert.Equal(["12", "13"], Shown());
        Assert.Equal(5 * Second, Value("12"));
        Run(12, 1);
        Run(14, 900);
        Assert.Equal(["13", "14"], Shown());
        // 12 was hidden when 14 came: its CPU time of that interval is folded, and its series continues from the value last shown.
        Run(12, 9000);
        Assert.Equal(["12", "14"], Shown());
        Assert.Equal(6 * Second, Value("12"));
        Run(12, 1);
        Assert.Equal(7 * Second, Value("12"));
        AssertAddsUp();
    }

    [Fact]
    public void A_thread_with_its_previous_name_again_continues_that_series()
    {
        Process(10, 11);
        Run(11, 2);
        Assert.Equal(2 * Second, Value("11", "t11"));
        Rename(11, "b");
        Run(11, 3);
        Assert.Equal(["b", "t10"], Shown("tname"));
        Run(11, 4);
        Assert.Equal(9 * Second, Value("11", "b"));
        Rename(11, "t11");
        Run(11, 1);
        Assert.Equal(2 * Second, Value("11", "t11"));
        Run(11, 1);
        Assert.Equal(3 * Second, Value("11", "t11"));
        AssertAddsUp();
    }

    [Fact]
    public void A_thread_with_more_names_than_are_kept_starts_at_0_and_counts_nothing_twice()
    {
        Process(10, 11);
        Run(11, 100);
        for (int i = 0; i < 30; i++)
        {
            Rename(11, $"n{i}");
            Run(11, 1);
            Run(11, 1);
        }
        Assert.Equal(Second, Value("11", "n29"));
        Rename(11, "t11");
        Run(11, 1);
        Assert.Equal(0, Value("11", "t11"));
        AssertAddsUp();
    }

    [Fact]
    public void A_name_series_sums_its_threads_and_keeps_the_time_of_exited_ones()
    {
        Process(10, 11, 12);
        _threads = new ThreadsConfig { Detail = ThreadDetail.Name, FoldDigits = true };
        // CPU time of the interval in which the filter changes is folded.
        Run(11, 2);
        Run(12, 5);
        Assert.Equal(["t*"], Shown("tname"));
        Assert.Equal(5 * Second, Value(null, "t*"));
        Assert.Equal(3, Text().Value("perfscale_thread_group_threads", ("tname", "t*")));
        Exit(12);
        Run(11, 1);
        Assert.Equal(6 * Second, Value(null, "t*"));
        Assert.Equal(2, Text().Value("perfscale_thread_group_threads", ("tname", "t*")));
        // The CPU time of a new thread goes to its name series.
        Start(15, 4);
        Assert.Equal(10 * Second, Value(null, "t*"));
        AssertAddsUp();
    }

    [Fact]
    public void A_name_series_without_threads_is_kept_and_continues()
    {
        Process(10, 11);
        Rename(11, "pool");
        _threads = new ThreadsConfig { Detail = ThreadDetail.Name };
        Run(11, 2);
        Exit(11);
        Run(10, 1);
        Assert.Equal(0, Text().Value("perfscale_thread_group_threads", ("tname", "pool")));
        long before = Value(null, "pool");
        Start(16, 3, "pool");
        Assert.Equal(before + 3 * Second, Value(null, "pool"));
        AssertAddsUp();
    }

    [SlowFact]
    public void The_number_of_name_series_without_threads_is_limited()
    {
        Process(10);
        _threads = new ThreadsConfig { Detail = ThreadDetail.Name };
        Collect();
        for (int i = 0; i < 400; i++)
        {
            Start(1000 + i, 0, $"job-{i}");
            Exit(1000 + i);
        }
        Run(10, 1);
        Assert.Equal(257, Shown("tname").Length);
        AssertAddsUp();
    }

    [Fact]
    public void The_limit_keeps_the_busiest_threads_of_all_processes_folds_the_rest_and_warns_once()
    {
        Process(10, 11, 12, 13);
        Run(12, 5);
        Assert.Empty(_live!.Collector.TakeWarnings());
        _limits = _limits with { MaxThreads = 2 };
        Run(13, 50);
        Assert.Equal(["12", "13"], Shown());
        Assert.Equal((2, false), (_live.Collector.FoldedAtLimit, _live.Collector.DetailLowered));
        Assert.Equal("2 thread series exceed collector.max_threads: the 2 with the highest CPU use are shown, the others are folded. Select fewer threads with [filter.threads], or raise the limit",
            Assert.Single(_live.Collector.TakeWarnings()));
        Run(12, 1);
        Assert.Empty(_live.Collector.TakeWarnings());
        _limits = _limits with { MaxThreads = 100 };
        Run(12, 1);
        Assert.Equal(["10", "11", "12", "13"], Shown());
        Assert.Equal(0, _live.Collector.FoldedAtLimit);
        AssertAddsUp();
    }

    [Fact]
    public void Max_samples_is_kept_and_every_process_is_shown()
    {
        Process(10, [.. Enumerable.Range(11, 60)]);
        _limits = _limits with { MaxSamples = 200 };
        Run(12, 5);
        Run(12, 5);
        Support.ParsedScrape text = Text();
        Assert.Contains("12", Shown());
        Assert.InRange(text.Samples.Count(), 80, 200 - SampleBudget.Self - SampleBudget.Reserve);
        Assert.True(_live!.Collector.DetailLowered);
        Assert.Contains("collector.max_samples", Assert.Single(_live.Collector.TakeWarnings()), StringComparison.Ordinal);
        // Every process is shown, whatever the limit.
        _limits = _limits with { MaxSamples = 1 };
        Run(12, 5);
        Assert.Empty(Shown());
        Assert.Single(Text().Of("perfscale_process_cpu_seconds_total"));
        AssertAddsUp();
    }

    [Fact]
    public void Time_used_while_a_thread_could_not_be_read_is_not_counted_twice()
    {
        Process(10, 11);
        Run(11, 2);
        _proc.Write("10/task/11/schedstat", "garbage"u8);
        _cpu[11] += 4 * Second;
        Collect();
        Assert.Equal(2 * Second, Value("11"));
        Run(11, 0);
        Assert.Equal(2 * Second, Value("11"));
        Run(11, 1);
        Assert.Equal(3 * Second, Value("11"));
        WatchedProcess process = _live!.Collector.Processes.Single();
        Assert.Equal(7 * Second, process.Balance.Cpu);
        Assert.Equal(4 * Second, process.Balance.Transient);
        AssertAddsUp();
    }

    [Fact]
    public void Extended_counters_are_hidden_continued_and_summed_like_the_others()
    {
        Process(10, 11, 12);
        _limits = _limits with { Extended = ExtendedKinds.Faults };
        Faults(11, 100);
        Faults(12, 1000);
        Assert.Equal([10, 100, 1000], ShownFaults());
        _threads = new ThreadsConfig { Exclude = ["t12"] };
        Faults(12, 1500);
        _threads = new ThreadsConfig();
        Faults(12, 1600);
        Faults(12, 1601);
        Assert.Equal([10, 100, 1001], ShownFaults());
        _threads = new ThreadsConfig { Detail = ThreadDetail.Name, FoldDigits = true };
        Faults(12, 1602);
        Faults(12, 1604);
        Faults(11, 103);
        Assert.Equal([5], ShownFaults());
        AssertAddsUp();
    }

    private void Faults(int tid, long faults)
    {
        _proc.ThreadStat(10, tid, Encoding.ASCII.GetBytes($"t{tid}"), 0, 0, minorFaults: faults);
        Run(tid, 1);
    }

    private long[] ShownFaults() => [.. Text().Of("perfscale_thread_minor_faults_total").Select(s => (long)s.Number)];

    private readonly Ledger _ledger = new();

    private void AssertAddsUp()
    {
        Assert.Null(_ledger.Error);
        Assert.Equal(0, _ledger.ErrorOfTheWholeRun);
    }

    private void Process(int pid, params int[] tids)
    {
        _proc.Process(pid, "f", threads: tids.Length + 1);
        foreach (int tid in (int[])[pid, .. tids])
        {
            _proc.Thread(pid, tid, Encoding.ASCII.GetBytes($"t{tid}"));
            _cpu[tid] = 0;
        }
        _threadCount = tids.Length + 1;
        Collect();
    }

    private void Run(int tid, long seconds)
    {
        _cpu[tid] += seconds * Second;
        _proc.SchedStat(10, tid, _cpu[tid], 0, 0);
        Collect();
    }

    private void Rename(int tid, string name) => _proc.ThreadStat(10, tid, Encoding.ASCII.GetBytes(name), 0, 0);

    private void Start(int tid, long seconds, string? name = null)
    {
        _proc.Thread(10, tid, Encoding.ASCII.GetBytes(name ?? $"t{tid}"), seconds * Second);
        _cpu[tid] = seconds * Second;
        _threadCount++;
        Collect();
    }

    private void Exit(int tid)
    {
        _proc.EndThread(10, tid);
        _threadCount--;
        Collect();
    }

    private void Collect()
    {
        // The process clock in ticks, as in another pid namespace: the CPU time of all threads, including exited ones.
        _proc.ProcessStat(10, "f", _threadCount, user: (ulong)(_cpu.Values.Sum() / 10_000_000));
        ExporterConfig config = new() { Filters = [new FilterConfig { Name = "f", Comm = ["f"], Threads = _threads }], Collector = _limits };
        if (_live is null)
            _live = new LiveCollector(config, _proc.Root);
        else
            _live.Use(config);
        _live.Collect(10);
        _ledger.Take(_live.Render());
    }

    private Support.ParsedScrape Text() => Support.ParsedScrape.Parse(_live!.Render());

    private string[] Shown(string label = "tid") => [.. Text().Of(Cpu).Select(s => s.Labels[label]).Order(StringComparer.Ordinal)];

    private long Value(string? tid, string? name = null) =>
        Text().Of(Cpu).Single(s => s.Labels.GetValueOrDefault("tid") == tid && (name is null || s.Labels["tname"] == name)).Nanoseconds;
}
