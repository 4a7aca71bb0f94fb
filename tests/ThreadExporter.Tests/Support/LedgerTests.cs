namespace ThreadExporter.Tests.Support;

/// <summary>That the ledger can fail.</summary>
public class LedgerTests
{
    private static readonly string Before = Scrape(7, process: "10.5", first: "4.1", second: "3", folded: "1", transient: "2");

    // 0.3 s by one thread, 0.2 s folded, 1 ns transient; the second thread is not shown.
    [Theory]
    [InlineData("11.000000001", null, 1, null)]
    [InlineData("11.000000002", null, 1, "process 5 used 500000002 ns, its parts 500000001 ns")]
    [InlineData("11.000000001", "3.1", 1, "process 5 used 500000001 ns, its parts 600000001 ns")]
    [InlineData("9", null, 1, "process 5 used 9000000000 ns, its parts 500000001 ns")]
    public void It_adds_up_to_the_nanosecond_or_not(string process, string? second, int intervals, string? error)
    {
        Ledger ledger = Take(LedgerScope.EveryCollection, Before, Scrape(8, process, first: "4.4", second, folded: "1.2", transient: "2.000000001"));
        Assert.Equal((intervals, error), (ledger.Intervals, ledger.Error));
    }

    [Fact]
    public void Another_process_under_the_pid_is_not_compared() =>
        Assert.Equal(0, Take(LedgerScope.EveryCollection, Before, Scrape(8, process: "1", first: "1", second: null, folded: "0", transient: "0", start: "200")).Intervals);

    [Theory]
    [InlineData(8, 1)]
    [InlineData(9, 0)]
    public void With_other_scrapers_only_successive_collections_are_compared(int collection, int intervals) =>
        Assert.Equal(intervals, Take(LedgerScope.SomeCollections, Before, Scrape(collection, "10.5", "4.1", "3", "1", "2")).Intervals);

    [Fact]
    public void An_error_is_kept_and_the_whole_run_shows_it()
    {
        Ledger ledger = Take(LedgerScope.EveryCollection, Before, Scrape(8, "10.6", "4.1", "3", "1", "2"), Scrape(9, "10.6", "4.1", "3", "1", "2"));
        Assert.NotNull(ledger.Error);
        Assert.Equal(100_000_000, ledger.ErrorOfTheWholeRun);
    }

    private static Ledger Take(LedgerScope scope, params string[] scrapes)
    {
        Ledger ledger = new(scope);
        foreach (string scrape in scrapes)
            ledger.Take(scrape);
        return ledger;
    }

    private static string Scrape(int collection, string process, string first, string? second, string folded, string transient, string start = "100")
    {
        const string Process = "daemon=\"d\",pid=\"5\",pname=\"p\"";
        static string Thread(string tid, string value) => $"perfscale_thread_cpu_seconds_total{{daemon=\"d\",ppid=\"5\",pname=\"p\",tid=\"{tid}\",tname=\"t\"}} {value}\n";
        static string Family(string name, string type, string value) => $"# TYPE {name} {type}\n{name}{{{Process}}} {value}\n";
        return "# TYPE perfscale_thread_cpu_seconds_total counter\n" + Thread("5", first) + (second is null ? "" : Thread("6", second))
            + Family("perfscale_process_cpu_seconds_total", "counter", process)
            + Family("perfscale_process_folded_threads_cpu_seconds_total", "counter", folded)
            + Family("perfscale_process_transient_threads_cpu_seconds_total", "counter", transient)
            + Family("perfscale_process_start_time_seconds", "gauge", start)
            + $"# TYPE thread_exporter_collections_total counter\nthread_exporter_collections_total {collection}\n";
    }
}
