using System.Text;
using ThreadExporter.Configuration;
using ThreadExporter.Model;
using ThreadExporter.Series;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Series;

/// <summary>Which series are shown, and with what values, on a /proc whose every number is known.</summary>
public sealed class SeriesSelectorTests : IDisposable
{
    private const long Second = 1_000_000_000;
    private const string Cpu = "perfscale_thread_cpu_seconds_total";

    private readonly FixtureProc _proc = new();
    private readonly Dictionary<int, long> _cpu = [];
    private LiveCollector? _live;
    private ThreadsConfig _threads = new();
    // By path: a plain file does not end with its thread.
    private CollectorConfig _limits = new() { RescanInterval = TimeSpan.Zero, MaxDescriptors = 0 };
    private int _threadCount;

    public void Dispose()
    {
        _live?.Dispose();
        _proc.Dispose();
    }

    [Fact]
    public void Top_shows_the_hottest_at_once_and_those_that_were_for_a_while_but_never_more_than_twice_as_many()
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
        // 12 was hidden when 14 came: what it used in that interval is folded, and it goes on where it was last shown.
        Run(12, 9000);
        Assert.Equal(["12", "14"], Shown());
        Assert.Equal(6 * Second, Value("12"));
        Run(12, 1);
        Assert.Equal(7 * Second, Value("12"));
        Closed();
    }

    [Fact]
    public void A_thread_that_takes_its_old_name_back_goes_on_where_that_series_stopped()
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
        Closed();
    }

    [Fact]
    public void A_thread_of_more_names_than_are_remembered_begins_at_0_rather_than_count_twice()
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
        Closed();
    }

    [Fact]
    public void A_group_sums_its_members_and_keeps_what_those_that_ended_have_used()
    {
        Process(10, 11, 12);
        _threads = new ThreadsConfig { Detail = ThreadDetail.Name, FoldDigits = true };
        // What they use while the rule changes is folded.
        Run(11, 2);
        Run(12, 5);
        Assert.Equal(["t*"], Shown("tname"));
        Assert.Equal(5 * Second, Value(null, "t*"));
        Assert.Equal(3, Text().Value("perfscale_thread_group_threads", ("tname", "t*")));
        End(12);
        Run(11, 1);
        Assert.Equal(6 * Second, Value(null, "t*"));
        Assert.Equal(2, Text().Value("perfscale_thread_group_threads", ("tname", "t*")));
        // What a newcomer has used at first sight is its group's.
        Born(15, 4);
        Assert.Equal(10 * Second, Value(null, "t*"));
        Closed();
    }

    [Fact]
    public void A_name_without_members_stays_and_goes_on()
    {
        Process(10, 11);
        Rename(11, "pool");
        _threads = new ThreadsConfig { Detail = ThreadDetail.Name };
        Run(11, 2);
        End(11);
        Run(10, 1);
        Assert.Equal(0, Text().Value("perfscale_thread_group_threads", ("tname", "pool")));
        long before = Value(null, "pool");
        Born(16, 3, "pool");
        Assert.Equal(before + 3 * Second, Value(null, "pool"));
        Closed();
    }

    [SlowFact]
    public void Names_without_members_are_kept_within_a_bound()
    {
        Process(10);
        _threads = new ThreadsConfig { Detail = ThreadDetail.Name };
        Collect();
        for (int i = 0; i < 400; i++)
        {
            Born(1000 + i, 0, $"job-{i}");
            End(1000 + i);
        }
        Run(10, 1);
        Assert.Equal(257, Shown("tname").Length);
        Closed();
    }

    [Fact]
    public void The_limit_keeps_the_hottest_of_all_processes_folds_the_rest_and_says_so_once()
    {
        Process(10, 11, 12, 13);
        Run(12, 5);
        Assert.Empty(_live!.Collector.TakeWarnings());
        _limits = _limits with { MaxThreads = 2 };
        Run(13, 50);
        Assert.Equal(["12", "13"], Shown());
        Assert.Equal((2, false), (_live.Collector.FoldedAtLimit, _live.Collector.DetailLowered));
        Assert.Equal("2 thread series more than fit in collector.max_threads: the 2 hottest are shown, the others are folded. Choose fewer threads with [filter.threads], or raise the limit",
            Assert.Single(_live.Collector.TakeWarnings()));
        Run(12, 1);
        Assert.Empty(_live.Collector.TakeWarnings());
        _limits = _limits with { MaxThreads = 100 };
        Run(12, 1);
        Assert.Equal(["10", "11", "12", "13"], Shown());
        Assert.Equal(0, _live.Collector.FoldedAtLimit);
        Closed();
    }

    [Fact]
    public void Samples_are_kept_within_their_limit_with_every_process_in_them()
    {
        Process(10, [.. Enumerable.Range(11, 60)]);
        _limits = _limits with { MaxSamples = 200 };
        Run(12, 5);
        Run(12, 5);
        Support.ParsedScrape text = Text();
        Assert.Contains("12", Shown());
        Assert.InRange(text.Samples.Count(), 80, 200 - SampleBudget.Self);
        Assert.True(_live!.Collector.DetailLowered);
        Assert.Contains("collector.max_samples", Assert.Single(_live.Collector.TakeWarnings()), StringComparison.Ordinal);
        // Every process is shown, whatever the limit.
        _limits = _limits with { MaxSamples = 1 };
        Run(12, 5);
        Assert.Empty(Shown());
        Assert.Single(Text().Of("perfscale_process_cpu_seconds_total"));
        Closed();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_a_scrape_has_is_counted_right(bool byName)
    {
        Process(10, [.. Enumerable.Range(11, 9)]);
        _threads = new ThreadsConfig { Detail = byName ? ThreadDetail.Name : ThreadDetail.Tid };
        Collect();
        // A group has one more, for which room is always left.
        int perSeries = SampleBudget.PerSeries(_live!.Snapshot.Config, hasSchedInfo: true) - (byName ? 0 : 1);
        Assert.Equal(SampleBudget.PerProcess + 10 * perSeries, Text().Samples.Count());
    }

    [Fact]
    public void What_could_not_be_read_for_a_while_is_not_counted_twice_when_it_can()
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
        Closed();
    }

    [Fact]
    public void Extended_counters_are_hidden_resumed_and_summed_like_the_others()
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
        Closed();
    }

    private void Faults(int tid, long faults)
    {
        _proc.ThreadStat(10, tid, Encoding.ASCII.GetBytes($"t{tid}"), 0, 0, minorFaults: faults);
        Run(tid, 1);
    }

    private long[] ShownFaults() => [.. Text().Of("perfscale_thread_minor_faults_total").Select(s => (long)s.Number)];

    private readonly Ledger _ledger = new();

    private void Closed()
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

    private void Born(int tid, long seconds, string? name = null)
    {
        _proc.Thread(10, tid, Encoding.ASCII.GetBytes(name ?? $"t{tid}"), seconds * Second);
        _cpu[tid] = seconds * Second;
        _threadCount++;
        Collect();
    }

    private void End(int tid)
    {
        _proc.EndThread(10, tid);
        _threadCount--;
        Collect();
    }

    private void Collect()
    {
        // The process's clock in ticks, as a /proc of another namespace has it: what its threads used, ended ones too.
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
