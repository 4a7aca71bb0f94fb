using Microsoft.Extensions.Time.Testing;
using ThreadExporter.Configuration;
using ThreadExporter.Exposition;
using ThreadExporter.Exposition.Buffers;
using ThreadExporter.Model;
using ThreadExporter.Series;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Cgroups;

/// <summary>The cgroup series of a fixture: which cgroups, how they join with processes, and what happens to them over time.</summary>
public sealed class CgroupSeriesTests : IDisposable
{
    private const string Cpu = "perfscale_cgroup_cpu_seconds_total", Limit = "perfscale_cgroup_cpu_limit_cores", Info = "perfscale_process_cgroup_info";

    private readonly FixtureProc _proc = new();
    private readonly FixtureCgroups _cgroups = new();
    private LiveCollector? _live;

    public CgroupSeriesTests()
    {
        _cgroups.MountVersion2();
        _cgroups.Version2("", usage: 100_000_000);
        _cgroups.Version2("s", usage: 50_000_000, periods: 0, throttledPeriods: 0, throttled: 0, max: "max 100000");
        _cgroups.Version2("s/a", usage: 1_000_000, periods: 0, throttledPeriods: 0, throttled: 0, max: "max 100000", pressure: 500_000);
        _cgroups.Version2("s/b", usage: 2_000_000, periods: 0, throttledPeriods: 0, throttled: 0, max: "max 100000", pressure: 0);
    }

    public void Dispose()
    {
        _live?.Dispose();
        _proc.Dispose();
        _cgroups.Dispose();
    }

    [Fact]
    public void A_cgroup_has_its_series_once_however_many_processes_are_in_it()
    {
        AddProcess(10, "0::/s/a\n");
        AddProcess(11, "0::/s/a\n");
        AddProcess(12, "0::/s/b\n");
        ParsedScrape scrape = Scrape();
        Assert.Equal(["/s/a", "/s/b"], scrape.Of(Cpu).Select(s => s.Labels["cgroup"]));
        Assert.Equal(1, scrape.Value(Cpu, ("cgroup", "/s/a")));
        Assert.Equal(0.5, scrape.Value("perfscale_cgroup_cpu_pressure_seconds_total", ("cgroup", "/s/a")));
        Assert.Empty(scrape.Of(Limit));
        Assert.Equal(["10 /s/a", "11 /s/a", "12 /s/b"], scrape.Of(Info).Select(s => $"{s.Labels["pid"]} {s.Labels["cgroup"]}"));
        Assert.All(scrape.Of(Info), s => Assert.Equal(("f", "f", 1d), (s.Labels["daemon"], s.Labels["pname"], s.Number)));
    }

    [Fact]
    public void Ancestors_that_set_a_limit_are_shown()
    {
        _cgroups.Version2("s", usage: 50_000_000, periods: 100, throttledPeriods: 71, throttled: 5_000_000, max: "200000 100000");
        AddProcess(10, "0::/s/a\n");
        ParsedScrape scrape = Scrape();
        Assert.Equal(["/s", "/s/a"], scrape.Of(Cpu).Select(s => s.Labels["cgroup"]));
        Assert.Equal(2, scrape.Value(Limit, ("cgroup", "/s")));
        Assert.Equal((100, 71, 5), (scrape.Value("perfscale_cgroup_periods_total", ("cgroup", "/s")), scrape.Value("perfscale_cgroup_throttled_periods_total", ("cgroup", "/s")),
            scrape.Value("perfscale_cgroup_throttled_seconds_total", ("cgroup", "/s"))));
        // The process is in one cgroup only.
        Assert.Equal("/s/a", Assert.Single(scrape.Of(Info)).Labels["cgroup"]);
    }

    [Fact]
    public void A_limit_that_is_set_later_is_seen_when_its_first_period_has_passed()
    {
        AddProcess(10, "0::/s/a\n");
        Assert.Empty(Scrape().Of(Limit));
        _cgroups.Version2("s", usage: 51_000_000, periods: 0, throttledPeriods: 0, throttled: 0, max: "200000 100000");
        Assert.Empty(Scrape().Of(Limit));
        _cgroups.Version2("s", usage: 52_000_000, periods: 1, throttledPeriods: 0, throttled: 0, max: "200000 100000");
        ParsedScrape scrape = Scrape();
        Assert.Equal(2, scrape.Value(Limit, ("cgroup", "/s")));
        Assert.Equal(52, scrape.Value(Cpu, ("cgroup", "/s")));
    }

    [Fact]
    public void A_limit_is_read_again_after_the_refresh_interval()
    {
        FakeTimeProvider clock = FakeClock.Create();
        _cgroups.Version2("s/a", usage: 0, periods: 1, throttledPeriods: 0, throttled: 0, max: "200000 100000");
        AddProcess(10, "0::/s/a\n");
        Assert.Equal(2, Scrape(clock).Value(Limit));
        _cgroups.Version2("s/a", usage: 0, periods: 1, throttledPeriods: 0, throttled: 0, max: "max 100000");
        Assert.Equal(2, Scrape(clock).Value(Limit));
        clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Empty(Scrape(clock).Of(Limit));
    }

    [Fact]
    public void The_info_follows_a_process_that_moves()
    {
        AddProcess(10, "0::/s/a\n");
        Scrape();
        _proc.Write("10/cgroup", "0::/s/b\n"u8);
        ParsedScrape scrape = Scrape();
        Assert.Equal("/s/b", Assert.Single(scrape.Of(Info)).Labels["cgroup"]);
        Assert.Equal("/s/b", Assert.Single(scrape.Of(Cpu)).Labels["cgroup"]);
    }

    [Fact]
    public void A_process_whose_cgroup_cannot_be_read_stays_in_the_one_it_had()
    {
        AddProcess(10, "0::/s/a\n");
        Scrape();
        _proc.Write("10/cgroup", "0::/s/b"u8);
        Assert.Equal("/s/a", Assert.Single(Scrape().Of(Info)).Labels["cgroup"]);
        Assert.Equal(1, _live!.Collector.Errors.Malformed);
    }

    [Fact]
    public void More_than_500_processes_are_looked_at_in_turns()
    {
        for (int pid = 1000; pid < 1600; pid++)
            AddProcess(pid, "0::/s/a\n");
        Assert.Equal(600, Scrape().Of(Info).Count());
        // The number of turns is that of the previous listing.
        Scrape();
        for (int pid = 1000; pid < 1600; pid++)
            _proc.Write($"{pid}/cgroup", "0::/s/b\n"u8);
        Assert.Equal(300, Scrape().Of(Info).Count(s => s.Labels["cgroup"] == "/s/b"));
        Assert.Equal(600, Scrape().Of(Info).Count(s => s.Labels["cgroup"] == "/s/b"));
    }

    [Fact]
    public void A_group_has_one_info_series_for_each_cgroup()
    {
        AddProcess(10, "0::/s/a\n");
        AddProcess(11, "0::/s/a\n");
        AddProcess(12, "0::/s/b\n");
        ParsedScrape scrape = Scrape(group: true);
        Assert.Equal(["{cgroup=/s/a, daemon=f, filter=f, pname=f}", "{cgroup=/s/b, daemon=f, filter=f, pname=f}"],
            scrape.Of(Info).Select(s => $"{{{string.Join(", ", s.Labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value}"))}}}"));
    }

    [Fact]
    public void Optional_labels_come_before_the_cgroup()
    {
        AddProcess(10, "0::/s/nginx.service\n");
        _cgroups.Version2("s/nginx.service", usage: 0);
        Scrape(labels: "unit");
        Assert.Contains(Info + "{daemon=\"f\",pid=\"10\",pname=\"f\",unit=\"nginx.service\",cgroup=\"/s/nginx.service\"} 1\n", _live!.Render(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_counter_does_not_fall_and_loses_nothing_when_its_cgroup_is_made_again()
    {
        _cgroups.Version2("s/a", usage: 5_000_000, periods: 10, throttledPeriods: 5, throttled: 1_000_000, max: "200000 100000");
        AddProcess(10, "0::/s/a\n");
        Scrape(maxDescriptors: 0);
        // First the new one, so that it cannot have the inode of the old one.
        _cgroups.Version2("s/new", usage: 300_000, periods: 2, throttledPeriods: 1, throttled: 20_000, max: "400000 100000");
        Directory.Delete(Path.Combine(_cgroups.Root, "s/a"), recursive: true);
        Directory.Move(Path.Combine(_cgroups.Root, "s/new"), Path.Combine(_cgroups.Root, "s/a"));
        ParsedScrape scrape = Scrape(maxDescriptors: 0);
        Assert.Equal((5.3, 12, 6, 1.02, 4), (scrape.Value(Cpu), scrape.Value("perfscale_cgroup_periods_total"), scrape.Value("perfscale_cgroup_throttled_periods_total"),
            scrape.Value("perfscale_cgroup_throttled_seconds_total"), scrape.Value(Limit)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    public void A_value_of_the_kernel_that_falls_is_held(int maxDescriptors)
    {
        AddProcess(10, "0::/s/a\n");
        Assert.Equal(1, Scrape(maxDescriptors: maxDescriptors).Value(Cpu));
        _cgroups.Version2("s/a", usage: 400_000);
        Assert.Equal(1, Scrape(maxDescriptors: maxDescriptors).Value(Cpu));
        _cgroups.Version2("s/a", usage: 500_000);
        Assert.Equal(1.1, Scrape(maxDescriptors: maxDescriptors).Value(Cpu));
    }

    [Theory]
    [InlineData("cpu.stat", "")]
    [InlineData("cpu.stat", "nr_periods many\n")]
    [InlineData("cpu.stat", "garbage")]
    public void A_cgroup_that_cannot_be_read_has_no_series_and_continues_where_it_was(string file, string text)
    {
        AddProcess(10, "0::/s/a\n");
        Scrape();
        _cgroups.Write("s/a", file, text);
        ParsedScrape scrape = Scrape();
        Assert.Empty(scrape.Of(Cpu));
        Assert.Empty(scrape.Of(Info));
        Assert.NotEmpty(scrape.Of("perfscale_process_cpu_seconds_total"));
        _cgroups.Version2("s/a", usage: 3_000_000);
        Assert.Equal(3, Scrape().Value(Cpu));
    }

    [Fact]
    public void A_removed_cgroup_and_one_outside_of_the_mount_have_no_series()
    {
        AddProcess(10, "0::/s/gone (deleted)\n");
        AddProcess(11, "0::/../outside\n");
        ParsedScrape scrape = Scrape();
        Assert.Empty(scrape.Of(Cpu));
        Assert.Empty(scrape.Of(Info));
        Assert.Contains("the cgroups of 1 processes are not found", Assert.Single(_live!.Collector.TakeWarnings()), StringComparison.Ordinal);
        Scrape();
        Assert.Empty(_live.Collector.TakeWarnings());
    }

    [Fact]
    public void Pressure_that_is_switched_off_and_on_comes_back()
    {
        FakeTimeProvider clock = FakeClock.Create();
        AddProcess(10, "0::/s/a\n");
        Assert.Single(Scrape(clock, maxDescriptors: 0).Of("perfscale_cgroup_cpu_pressure_seconds_total"));
        string file = Path.Combine(_cgroups.Root, "s/a/cpu.pressure");
        File.Move(file, file + ".off");
        Assert.Empty(Scrape(clock, maxDescriptors: 0).Of("perfscale_cgroup_cpu_pressure_seconds_total"));
        File.Move(file + ".off", file);
        clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Single(Scrape(clock, maxDescriptors: 0).Of("perfscale_cgroup_cpu_pressure_seconds_total"));
    }

    [Fact]
    public void Cgroups_that_no_process_is_in_are_forgotten_with_their_descriptors()
    {
        FakeTimeProvider clock = FakeClock.Create();
        for (int pid = 10; pid < 60; pid++)
        {
            _cgroups.Version2($"s/{pid}", usage: pid, pressure: 0);
            AddProcess(pid, $"0::/s/{pid}\n");
        }
        Scrape(clock);
        // The cgroups, "s" and the root, with two files each except for those two.
        Assert.Equal((52, 102), (_live!.Collector.Cgroups!.Count, _live.Collector.Cgroups.Descriptors));
        for (int pid = 11; pid < 60; pid++)
            Directory.Delete(Path.Combine(_proc.Root, $"{pid}"), recursive: true);
        clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Single(Scrape(clock).Of(Cpu));
        Assert.Equal((3, 4), (_live.Collector.Cgroups.Count, _live.Collector.Cgroups.Descriptors));
    }

    [Theory]
    [InlineData(8, 2)]
    [InlineData(0, 0)]
    public void Descriptors_are_at_most_a_quarter_of_the_limit_and_the_values_are_the_same(int maxDescriptors, int kept)
    {
        AddProcess(10, "0::/s/a\n");
        AddProcess(11, "0::/s/b\n");
        for (int i = 0; i < 3; i++)
        {
            _cgroups.Version2("s/a", usage: 1_000_000 + i * 1_000_000, pressure: i * 1_000_000);
            ParsedScrape scrape = Scrape(maxDescriptors: maxDescriptors);
            Assert.Equal((1 + i, i), (scrape.Value(Cpu, ("cgroup", "/s/a")), scrape.Value("perfscale_cgroup_cpu_pressure_seconds_total", ("cgroup", "/s/a"))));
            Assert.Equal(kept, _live!.Collector.Cgroups!.Descriptors);
        }
    }

    [Fact]
    public void A_limit_that_is_lowered_closes_descriptors()
    {
        AddProcess(10, "0::/s/a\n");
        AddProcess(11, "0::/s/b\n");
        Scrape();
        Assert.Equal(6, _live!.Collector.Cgroups!.Descriptors);
        Scrape(maxDescriptors: 8);
        Assert.Equal(2, _live.Collector.Cgroups.Descriptors);
    }

    [Fact]
    public void All_of_them_count_as_samples()
    {
        _cgroups.Version2("s", usage: 50_000_000, periods: 100, throttledPeriods: 71, throttled: 5_000_000, max: "200000 100000");
        AddProcess(10, "0::/s/a\n");
        AddProcess(11, "0::/s/b\n");
        AddProcess(12, "0::/s/b\n");
        ParsedScrape scrape = Scrape();
        int samples = scrape.Samples.Count(s => s.Name.Contains("cgroup", StringComparison.Ordinal));
        Assert.Equal((3 * 5) + 3, samples);
        int others = SampleBudget.Self + SampleBudget.Reserve + 1 + (3 * SampleBudget.PerOwner);
        int perSeries = SampleBudget.PerSeries(_live!.Snapshot.Config, hasSchedInfo: true);
        Assert.Equal(3, Shown(others + samples + (3 * perSeries)));
        Assert.Equal(2, Shown(others + samples + (3 * perSeries) - 1));

        int Shown(int maxSamples) => Scrape(maxSamples: maxSamples).Of("perfscale_thread_cpu_seconds_total").Count();
    }

    [Fact]
    public void A_scrape_of_one_filter_has_its_cgroups_and_those_above_them()
    {
        _cgroups.Version2("s", usage: 50_000_000, max: "200000 100000");
        _cgroups.Version2("t", usage: 1, max: "200000 100000");
        AddProcess(10, "0::/s/a\n");
        AddProcess(11, "0::/t\n");
        Scrape();
        PooledBuffer buffer = new(new ChunkPool());
        SeriesOwner[] owners = [.. _live!.Collector.Owners.Where(o => o is WatchedProcess { Pid: 10 })];
        ThreadMetrics.Write(owners, _ => true, _live.Collector, _live.Snapshot.Config.Sampler, new ExpositionWriter(buffer, openMetrics: false));
        ParsedScrape scrape = ParsedScrape.Parse(buffer.Text());
        buffer.Release();
        Assert.Equal(["/s", "/s/a"], scrape.Of(Cpu).Select(s => s.Labels["cgroup"]));
        Assert.Equal("10", Assert.Single(scrape.Of(Info)).Labels["pid"]);
    }

    [Fact]
    public void A_hostile_name_gives_valid_text()
    {
        _cgroups.Version2("s/a\"b\\x2d{}", usage: 1_000_000);
        AddProcess(10, "0::/s/a\"b\\x2d{}\n");
        Assert.Equal("/s/a\"b\\x2d{}", Assert.Single(Scrape().Of(Cpu)).Labels["cgroup"]);
    }

    [Fact]
    public void A_path_longer_than_a_process_path_is_read()
    {
        string path = string.Join('/', Enumerable.Repeat(new string('x', 100), 5));
        _cgroups.Version2(path, usage: 1_000_000);
        AddProcess(10, $"0::/{path}\n");
        Assert.Equal("/" + path, Assert.Single(Scrape().Of(Cpu)).Labels["cgroup"]);
    }

    private void AddProcess(int pid, string cgroup)
    {
        _proc.Process(pid, "f", cgroup: cgroup);
        _proc.Thread(pid, pid, "f"u8, 1);
    }

    private ParsedScrape Scrape(FakeTimeProvider? clock = null, bool group = false, string? labels = null, int maxDescriptors = 10_000, int maxSamples = 200_000)
    {
        ExporterConfig config = LiveCollector.Config(new FilterConfig
        {
            Name = "f",
            Comm = ["f"],
            Group = group,
            Labels = labels is null ? [] : [labels],
            Threads = new ThreadsConfig { Detail = group ? ThreadDetail.Name : ThreadDetail.Tid },
        });
        config = config with { Collector = config.Collector with { MaxDescriptors = maxDescriptors, MaxSamples = maxSamples } };
        if (_live is null)
            _live = new LiveCollector(config, _proc.Root, time: clock, cgroups: _cgroups.Open());
        else
            _live.Use(config);
        _live.Collector.Collect(_live.Snapshot);
        return ParsedScrape.Parse(_live.Render());
    }
}
