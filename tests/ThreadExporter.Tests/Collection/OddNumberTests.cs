using System.Globalization;
using System.Text;
using ThreadExporter.Configuration;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Collection;

/// <summary>
/// <see cref="ThreadExporter.Collection.ThreadReader"/> and <see cref="ThreadExporter.Collection.ProcessReader"/> when one number of the kernel
/// decreases or is impossible: the previous value is kept, all other values continue, no counter decreases, and the CPU time adds up.
/// </summary>
public sealed class OddNumberTests : IDisposable
{
    private const string Absurd = "18446744073709551000";
    private const long Second = 1_000_000_000;

    private readonly FixtureProc _proc = new();
    private readonly Ledger _ledger = new();
    private readonly LiveCollector _live;

    public OddNumberTests()
    {
        _proc.Process(10, "f", threads: 2);
        _proc.Thread(10, 10, "f"u8);
        _proc.Thread(10, 11, "w"u8, user: 400, kernel: 200);
        _live = new LiveCollector(Config(), _proc.Root);
    }

    public void Dispose()
    {
        _live.Dispose();
        _proc.Dispose();
    }

    [Theory]
    [InlineData("150", "18446744073709551000", "250", "300")]
    [InlineData("0", "0", "199", "300")]
    [InlineData("18446744073709551615", "9223372036854775808", "1", "300")]
    public void The_cpu_counter_continues_whatever_the_wait_does_and_the_wait_never_decreases(string second, string third, string fourth, string last)
    {
        string[] waits = ["200", second, third, fourth, last];
        for (int i = 0; i < waits.Length; i++)
        {
            Support.ParsedScrape scrape = Scrape($"{(6 + i) * Second} {waits[i]} {11 + i}");
            Assert.Equal((6 + i, 11 + i), (Of(scrape, "cpu_seconds"), Of(scrape, "timeslices")));
            long highest = waits[..(i + 1)].Where(w => w.Length < 19).Max(w => long.Parse(w, CultureInfo.InvariantCulture));
            Assert.Equal(highest / 1e9, Of(scrape, "runqueue_seconds"));
        }
        Assert.Equal((null, 0), (_ledger.Error, _ledger.ErrorOfTheWholeRun));
        Assert.Equal(waits.Count(w => w.Length >= 19), _live.Collector.Errors.Malformed);
    }

    [Theory]
    [InlineData("3", "4")]
    [InlineData(Absurd, Absurd)]
    public void Timeslices_that_decrease_or_are_impossible_keep_the_previous_value(string second, string third)
    {
        string[] slices = ["11", second, third, "10", "14"];
        List<double> shown = [];
        for (int i = 0; i < slices.Length; i++)
        {
            Support.ParsedScrape scrape = Scrape($"{(6 + i) * Second} {200 + i} {slices[i]}");
            Assert.Equal((6 + i, (200 + i) / 1e9), (Of(scrape, "cpu_seconds"), Of(scrape, "runqueue_seconds")));
            shown.Add(Of(scrape, "timeslices"));
        }
        Assert.Equal([11, 11, 11, 11, 14], shown);
    }

    [Fact]
    public void A_single_low_number_does_not_count_anything_twice()
    {
        Scrape($"{Second} {900 * Second} 1");
        Scrape($"{2 * Second} 5 2");
        Assert.Equal(901, Of(Scrape($"{3 * Second} {901 * Second} 3"), "runqueue_seconds"));
    }

    [Fact]
    public void An_impossible_run_time_keeps_the_previous_value_and_the_time_used_meanwhile_is_transient()
    {
        Scrape($"{6 * Second} 200 11");
        Scrape($"{7 * Second} 210 12");
        Support.ParsedScrape odd = Scrape($"{Absurd} 220 13");
        // Its user time in ticks continues, and so does every other number.
        Assert.Equal((7, 220e-9, 13), (Of(odd, "cpu_seconds"), Of(odd, "runqueue_seconds"), Of(odd, "timeslices")));
        Assert.Equal(8, odd.Value("perfscale_process_cpu_seconds_total"));
        Assert.Equal(1, odd.Value("perfscale_process_transient_threads_cpu_seconds_total"));
        // The second that could not be attributed is not counted again; later CPU time is counted.
        Assert.Equal(8, Of(Scrape($"{9 * Second} 230 14"), "cpu_seconds") + odd.Value("perfscale_process_transient_threads_cpu_seconds_total"));
        Support.ParsedScrape last = Scrape($"{10 * Second} 240 15");
        Assert.Equal((8, 240e-9, 15), (Of(last, "cpu_seconds"), Of(last, "runqueue_seconds"), Of(last, "timeslices")));
        Assert.Equal((null, 0), (_ledger.Error, _ledger.ErrorOfTheWholeRun));
        Assert.Equal(1, _live.Collector.Errors.Malformed);
    }

    [Fact]
    public void A_number_that_is_odd_when_first_seen_starts_at_0_and_does_not_jump()
    {
        Support.ParsedScrape first = Scrape($"{Absurd} {Absurd} 11");
        Assert.Equal((0, 0, 11), (Of(first, "cpu_seconds"), Of(first, "runqueue_seconds"), Of(first, "timeslices")));
        Scrape($"{7 * Second} {900 * Second} 12");
        Support.ParsedScrape last = Scrape($"{8 * Second} {901 * Second} 13");
        Assert.Equal((1, 1, 13), (Of(last, "cpu_seconds"), Of(last, "runqueue_seconds"), Of(last, "timeslices")));
        Assert.Equal((null, 0), (_ledger.Error, _ledger.ErrorOfTheWholeRun));
    }

    [Theory]
    [InlineData("399")]
    [InlineData("461168601843")]
    [InlineData(Absurd)]
    public void A_user_time_that_decreases_or_is_impossible_keeps_the_previous_value_and_the_rest_of_stat_is_used(string odd)
    {
        Scrape($"{6 * Second} 1 1");
        _proc.ThreadStat(10, 11, "renamed"u8, 88_888, 250, 'R');
        Edit("10/task/11/stat", "88888", odd);
        Support.ParsedScrape scrape = Scrape($"{7 * Second} 2 2");
        Assert.Equal((4, 2.5, 7), (Of(scrape, "cpu_user_seconds", "renamed"), Of(scrape, "cpu_kernel_seconds", "renamed"), Of(scrape, "cpu_seconds", "renamed")));
        Assert.Equal(1, scrape.Value("perfscale_process_threads_by_state", ("state", "R")));
        _proc.ThreadStat(10, 11, "renamed"u8, 450, 250);
        Assert.Equal(4.5, Of(Scrape($"{8 * Second} 3 3"), "cpu_user_seconds", "renamed"));
    }

    [Fact]
    public void An_impossible_user_time_of_the_process_hides_no_thread()
    {
        Scrape($"{6 * Second} 1 1");
        _proc.Thread(10, 12, "late"u8, 5);
        _proc.ProcessStat(10, "f", 3, user: 88_888, kernel: 70);
        Edit("10/stat", "88888", Absurd);
        _proc.SchedStat(10, 11, 7 * Second, 2, 2);
        _live.Collect(10);
        Support.ParsedScrape scrape = Support.ParsedScrape.Parse(_live.Render());
        Assert.Equal(5e-9, scrape.Value("perfscale_thread_cpu_seconds_total", ("tid", "12")));
        Assert.Equal((6, 0.7), (scrape.Value("perfscale_process_cpu_user_seconds_total"), scrape.Value("perfscale_process_cpu_kernel_seconds_total")));
    }

    [Theory]
    [InlineData(Absurd)]
    [InlineData("5")]
    public void An_odd_extended_counter_does_not_affect_the_others(string odd)
    {
        string[] names = ["minor_faults", "major_faults", "voluntary_context_switches", "involuntary_context_switches", "io_read_bytes", "io_write_bytes"];
        _live.Use(Config(ExtendedKinds.Faults | ExtendedKinds.ContextSwitches | ExtendedKinds.Io));
        Extras(7000);
        Scrape($"{Second} 1 1");
        for (int i = 0; i < names.Length; i++)
        {
            long before = 7000 + 100 * i;
            Extras(before + 100, i, odd);
            Support.ParsedScrape scrape = Scrape($"{(2 + i) * Second} 1 1");
            for (int j = 0; j < names.Length; j++)
                Assert.Equal((names[j], j == i ? before : before + 100), (names[j], Of(scrape, names[j])));
        }
    }

    [Fact]
    public void Without_sched_info_a_rounding_difference_is_the_same_thread_and_an_odd_time_keeps_the_previous_value()
    {
        _proc.Write("self/schedstat", "0 0 0\n"u8);
        using LiveCollector live = new(Config(), _proc.Root);
        Assert.Equal(6, Ticks(live, "400", 200));
        // The sum is one tick lower.
        Assert.Equal(6, Ticks(live, "398", 201));
        Assert.Equal(6.1, Ticks(live, "405", 205));
        Assert.Equal(6.1, Ticks(live, Absurd, 215));
        Assert.Equal(2.15, Of(Support.ParsedScrape.Parse(live.Render()), "cpu_kernel_seconds"));
        Assert.Equal(6.1, Ticks(live, "425", 225));
        Assert.Equal(6.3, Ticks(live, "435", 235));
        // Much lower: exec by a worker thread with less CPU time. The counter starts at 0, which Prometheus takes for a reset.
        Assert.Equal(0, Ticks(live, "5", 5));
        Assert.Equal(0.1, Ticks(live, "10", 10));
    }

    [Fact]
    public void The_user_of_a_process_is_known_whatever_its_context_switches_are()
    {
        _proc.Write("10/status", Encoding.ASCII.GetBytes($"Name:\tf\nUid:\t0\t0\t0\t0\nNSpid:\t10\nvoluntary_ctxt_switches:\t{Absurd}\n"));
        using LiveCollector live = new(LiveCollector.Config(new FilterConfig { Name = "root", User = ["0"] }), _proc.Root);
        Assert.NotNull(live.Collect(10));
    }

    private static ExporterConfig Config(ExtendedKinds extended = ExtendedKinds.None)
    {
        ExporterConfig config = LiveCollector.Config(new FilterConfig { Name = "f", Comm = ["f"] });
        return config with { Collector = config.Collector with { Extended = extended } };
    }

    /// <summary>Writes the worker's schedstat and the matching user time of the process.</summary>
    private Support.ParsedScrape Scrape(string schedStat)
    {
        _proc.Write("10/task/11/schedstat", Encoding.ASCII.GetBytes(schedStat + "\n"));
        ulong ticks = ulong.Parse(schedStat.Split(' ')[0], CultureInfo.InvariantCulture) / 10_000_000;
        _proc.ProcessStat(10, "f", 2, user: ticks > 1_000_000 ? _ledger.Intervals == 0 ? 600u : 800u : ticks);
        _live.Collect(10);
        string text = _live.Render();
        _ledger.Take(text);
        return Support.ParsedScrape.Parse(text);
    }

    private double Ticks(LiveCollector live, string user, ulong kernel)
    {
        _proc.ThreadStat(10, 11, "w"u8, 88_888, kernel);
        Edit("10/task/11/stat", "88888", user);
        live.Collect(10);
        return Of(Support.ParsedScrape.Parse(live.Render()), "cpu_seconds");
    }

    private void Extras(long value, int oddOne = -1, string odd = "")
    {
        long[] values = [.. Enumerable.Range(0, 6).Select(i => i == oddOne ? 88_888 : value)];
        _proc.ThreadStat(10, 11, "w"u8, 1, 1, minorFaults: values[0], majorFaults: values[1]);
        _proc.ThreadStatus(10, 11, values[2], values[3]);
        _proc.ThreadIo(10, 11, values[4], values[5]);
        foreach (string file in (string[])["stat", "status", "io"])
            Edit($"10/task/11/{file}", "88888", odd);
    }

    private void Edit(string path, string from, string to) =>
        _proc.Write(path, Encoding.ASCII.GetBytes(File.ReadAllText(Path.Combine(_proc.Root, path)).Replace(from, to, StringComparison.Ordinal)));

    private static double Of(Support.ParsedScrape scrape, string name, string thread = "w") =>
        scrape.Value($"perfscale_thread_{name}_total", ("tid", "11"), ("tname", thread));
}
