using System.Text;
using Microsoft.Extensions.Time.Testing;
using ThreadExporter.Collection;
using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Netlink;
using ThreadExporter.Procfs;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Collection;

/// <summary>
/// <see cref="ExitCollector"/> and the ledgers behind it with made-up records, on the process 100 of a fixture: which time goes where, and what is
/// bounded.
/// </summary>
public sealed class ExitCollectorTests : IDisposable
{
    private const string Exited = "perfscale_process_exited_threads_cpu_seconds_total", Exits = "perfscale_process_exited_threads_total",
        Transient = "perfscale_process_transient_threads_cpu_seconds_total", Thread = "perfscale_thread_cpu_seconds_total",
        ProcessesCpu = "perfscale_exited_processes_cpu_seconds_total", Processes = "perfscale_exited_processes_total";

    private readonly FixtureProc _proc = new();
    private readonly FakeTimeProvider _clock = FakeClock.Create();
    private readonly List<ExitRecord> _records = [];
    private readonly Ledger _ledger = new();
    private LiveCollector _live = null!;
    private ulong _ticks;

    public void Dispose()
    {
        _live?.Dispose();
        _proc.Dispose();
    }

    [Fact]
    public void A_worker_that_has_called_exec_is_counted_once()
    {
        Daemon(threads: 2);
        _proc.SchedStat(100, 101, 200 * Rig.Ms, 0, 1);
        Use(Filter);
        MakeKnown("daemon");
        // The worker takes the tid of the main thread, whose record comes.
        Exit(100, 100, "daemon", 50);
        _proc.EndThread(100, 101);
        _proc.SchedStat(100, 100, 200 * Rig.Ms, 0, 1);
        Run(0, threads: 1);
        Collect();
        Collect();
        Exit(100, 100, "daemon", 210, isLast: true);
        Directory.Delete(Path.Combine(_proc.Root, "100"), recursive: true);
        ParsedScrape scrape = Collect();
        Assert.Equal(10 * Rig.Ms, scrape.Of(ProcessesCpu).Single().Nanoseconds);
        Assert.Equal(1, scrape.Value(Processes));
    }

    [Fact]
    public void A_process_that_the_hot_page_has_found_and_no_collection_is_counted()
    {
        Daemon();
        Use(Filter);
        MakeKnown("other");
        _proc.Process(200, "other", start: Clocks.TicksSinceBoot());
        _proc.Thread(200, 200, "other"u8);
        _clock.Advance(TimeSpan.FromSeconds(5));
        _live.Collector.Discover(_live.Snapshot, Clocks.MonotonicNanoseconds(_clock));
        Exit(201, 200, "helper", 5);
        Exit(200, 200, "other", 20, isLast: true);
        _live.Collector.DrainExits(_live.Snapshot, Clocks.MonotonicNanoseconds(_clock));
        Directory.Delete(Path.Combine(_proc.Root, "200"), recursive: true);
        ParsedScrape scrape = Collect();
        Assert.Equal(1, scrape.Value(Processes));
        Assert.Equal(20 * Rig.Ms, scrape.Of(ProcessesCpu).Single(s => s.Labels["tname"] == "other").Nanoseconds);
    }

    [Fact]
    public void A_process_has_exited_with_its_last_thread_not_with_its_main_thread()
    {
        Daemon();
        Use(Filter);
        Exit(301, 300, "helper", 1);
        Exit(300, 300, "other", 1, isLast: true);
        Collect();
        Exit(300, 300, "other", 20);
        Exit(302, 300, "helper", 30);
        Exit(301, 300, "helper", 40, isLast: true);
        ParsedScrape scrape = Collect();
        Assert.Equal(1, scrape.Value(Processes, ("pname", "other")));
        Assert.Equal(20 * Rig.Ms, scrape.Of(ProcessesCpu).Single(s => s.Labels["tname"] == "other").Nanoseconds);
        Assert.Equal(70 * Rig.Ms, scrape.Of(ProcessesCpu).Single(s => s.Labels["tname"] == "helper").Nanoseconds);
    }

    [Fact]
    public void An_estimate_is_at_most_a_tick_for_each_exit()
    {
        Daemon();
        Use(Filter);
        Show("conn-1");
        Exit(150, 100, "conn-2", 1);
        Exit(151, 100, "conn-3", 1);
        // Something else, for example a thread whose record was lost by the kernel without a trace.
        Run(100);
        ParsedScrape scrape = Collect();
        Assert.Equal(22 * Rig.Ms, scrape.Of(Exited).Single().Nanoseconds);
        Assert.Null(_ledger.Error);
    }

    [Fact]
    public void What_a_record_has_too_much_is_carried_to_the_next_collection_only()
    {
        Daemon();
        Use(Filter);
        Show("conn-1");
        long before = Named(Collect());
        Exit(150, 100, "conn-2", 500);
        Run(1);
        Assert.Equal(10 * Rig.Ms, Named(Collect()) - before);
        Run(2);
        Assert.Equal(30 * Rig.Ms, Named(Collect()) - before);
        Run(4);
        Assert.Equal(30 * Rig.Ms, Named(Collect()) - before);
        Assert.Equal(40 * Rig.Ms, _ledger.Sum(Transient) - 10 * Rig.Ms);
        Assert.Null(_ledger.Error);
    }

    [Fact]
    public void Exited_processes_are_dropped_after_ten_idle_minutes_and_with_their_filter()
    {
        Daemon();
        Use(Filter);
        Exit(300, 300, "other", 20, isLast: true);
        Assert.Single(Collect().Of(Processes));
        _clock.Advance(TimeSpan.FromSeconds(599));
        Assert.Single(Collect().Of(Processes));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(Collect().Of(Processes));
        Exit(300, 300, "other", 20, isLast: true);
        Assert.Single(Collect().Of(Processes));
        _live.Use(Config(Filter with { Name = "renamed" }));
        Assert.Empty(Collect().Of(Processes));
    }

    [Fact]
    public void Exited_processes_beyond_the_limit_share_a_series()
    {
        Daemon();
        Use(Filter);
        for (int round = 0; round < 2; round++)
        {
            for (int i = 0; i < 300; i++)
                Exit(300 + i, 300 + i, $"other{i}", 1, isLast: true);
            Collect();
        }
        ParsedScrape scrape = Collect();
        Assert.Equal(257, scrape.Of(Processes).Count());
        Assert.Equal(44, scrape.Value(Processes, ("pname", "(other)"), ("daemon", "(other)"), ("filter", "by name")));
    }

    [Fact]
    public void Exited_processes_have_the_labels_of_their_parent()
    {
        _proc.Process(100, "daemon", start: 1, cgroup: "0::/system.slice/web.service\n");
        _proc.Thread(100, 100, "daemon"u8, start: 1);
        Use(Filter with { Children = true, Labels = ["unit"] });
        MakeKnown("child", parent: 100);
        Exit(300, 300, "child", 20, isLast: true, parent: 100);
        ParsedScrape scrape = Collect();
        Assert.Equal(1, scrape.Value(Processes, ("pname", "child"), ("daemon", "daemon"), ("unit", "web.service")));
        Assert.Equal(20 * Rig.Ms, scrape.Of(ProcessesCpu).Single(s => s.Labels["unit"] == "web.service").Nanoseconds);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Names_that_no_live_thread_has_had_are_bounded(bool group)
    {
        Daemon();
        Use(Filter with { Group = group, Threads = new ThreadsConfig { Detail = ThreadDetail.Name } });
        Collect();
        int tid = 200;
        for (int round = 0; round < 10; round++)
        {
            for (int i = 0; i < 50; i++)
                Exit(++tid, 100, $"conn-{tid}", 1);
            Run(5);
            Assert.InRange(Collect().Of(Thread).Count(), 1, 66);
            Assert.True(_ledger.Error is null, _ledger.Error);
        }
        Assert.True(Collect().Value(Thread, ("tname", "(other)")) > 0.1);
    }

    [Fact]
    public void New_names_do_not_exceed_max_samples()
    {
        Daemon(threads: 40);
        ExporterConfig config = Config(Filter);
        Use(config with { Collector = config.Collector with { MaxSamples = 600 } });
        Collect();
        int tid = 200;
        for (int round = 0; round < 4; round++)
        {
            for (int i = 0; i < 60; i++)
                Exit(++tid, 100, $"{(char)('a' + i / 26)}{(char)('a' + i % 26)}{(char)('a' + round)}", 1);
            for (int i = 0; i < 60; i++)
                Exit(300 + i, 300 + i, $"other{round}{(char)('a' + i / 26)}{(char)('a' + i % 26)}", 1, isLast: true);
            Run(5, threads: 40);
            int samples = Collect().Samples.Count();
            Assert.InRange(samples, 1, 600 - ThreadExporter.Series.SampleBudget.Self - 1);
        }
        Assert.True(Collect().Of(Exits).Count() > 10);
    }

    [Fact]
    public void A_pause_that_ends_without_a_subscription_is_logged_once_and_tried_once_a_minute()
    {
        Daemon();
        Use(Filter);
        using ProcfsRoot root = ProcfsRoot.Open(_proc.Root);
        using ExitSubscription subscription = new();
        subscription.Open(_live.Snapshot, root, 1);
        Assert.Contains("not available", subscription.TakeNotice(out _));
        subscription.Open(_live.Snapshot, root, 200 * Rig.Second);
        Assert.Null(subscription.TakeNotice(out _));
        subscription.AddCost(10 * Rig.Second, 300 * Rig.Second);
        Assert.Contains("% of a core", subscription.TakeNotice(out _));
        subscription.Open(_live.Snapshot, root, 361 * Rig.Second);
        subscription.Open(_live.Snapshot, root, 362 * Rig.Second);
        Assert.Null(subscription.TakeNotice(out _));
    }

    private static FilterConfig Filter => new() { Name = "by name", Comm = ["daemon", "other*"] };

    private static ExporterConfig Config(FilterConfig filter)
    {
        ExporterConfig config = LiveCollector.Config(filter);
        // Threads are read by path, so that the fixture can end them.
        return config with { Collector = config.Collector with { MaxDescriptors = 1 } };
    }

    private void Use(FilterConfig filter) => Use(Config(filter));

    private void Use(ExporterConfig config)
    {
        _live = new LiveCollector(config, _proc.Root, time: _clock);
        _live.Collector.Exits.Subscription.Simulate(into =>
        {
            into.AddRange(_records);
            _records.Clear();
            return true;
        });
        Collect();
        Collect();
    }

    private void Daemon(int threads = 1)
    {
        _proc.Process(100, "daemon", threads: threads, start: 1);
        for (int i = 0; i < threads; i++)
            _proc.Thread(100, 100 + i, Encoding.UTF8.GetBytes(i == 0 ? "daemon" : $"worker{i}"), start: 1);
    }

    /// <summary>The process uses CPU time that no live thread accounts for.</summary>
    private void Run(int ticks, int threads = 1) => _proc.ProcessStat(100, "daemon", threads, user: _ticks += (ulong)ticks, start: 1);

    /// <summary>Makes the series of a name known; its first exit is not shown.</summary>
    private void Show(string name)
    {
        Exit(149, 100, name, 1);
        Run(1);
        Collect();
        Collect();
    }

    /// <summary>Makes the series of exited processes known; the first is shown with 0.</summary>
    private void MakeKnown(string name, int parent = 1)
    {
        Exit(900, 900, name, 1, isLast: true, parent);
        Collect();
    }

    private void Exit(int tid, int process, string name, long milliseconds, bool isLast = false, int parent = 1) => _records.Add(new ExitRecord
    {
        Tid = tid,
        Tgid = process,
        Ppid = parent,
        Comm = Encoding.UTF8.GetBytes(name),
        CpuNanoseconds = milliseconds * Rig.Ms,
        IsLastThread = isLast,
    });

    private static long Named(ParsedScrape scrape) => scrape.Of(Exited).Sum(s => s.Nanoseconds);

    private ParsedScrape Collect()
    {
        _live.Collector.Collect(_live.Snapshot);
        ParsedScrape scrape = ParsedScrape.Parse(_live.Render());
        _ledger.Take(scrape);
        return scrape;
    }
}
