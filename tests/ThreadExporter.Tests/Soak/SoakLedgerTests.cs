using Xunit.Sdk;

namespace ThreadExporter.Tests.Soak;

/// <summary><see cref="SoakLedger"/>: it finds CPU time that does not add up.</summary>
public class SoakLedgerTests
{
    [Fact]
    public void A_difference_of_a_nanosecond_is_found()
    {
        Support.ParsedScrape before = Scrape(7, process: "10.5", first: "4.1", second: "3", folded: "1", transient: "2");
        // 0.3 of one thread, 0.2 folded, 0.000000001 transient; the second thread was not shown before.
        Assert.Equal(1, SoakLedger.Check(before, Scrape(8, process: "11.000000001", first: "4.4", second: null, folded: "1.2", transient: "2.000000001")));
        Assert.Throws<TrueException>(() => SoakLedger.Check(before, Scrape(8, process: "11.000000002", first: "4.4", second: null, folded: "1.2", transient: "2.000000001")));
        Assert.Throws<TrueException>(() => SoakLedger.Check(before, Scrape(8, process: "11.000000001", first: "4.4", second: "3.1", folded: "1.2", transient: "2.000000001")));
        // Another process with the same pid is not compared.
        Assert.Equal(0, SoakLedger.Check(before, Scrape(8, process: "1", first: "1", second: null, folded: "0", transient: "0", start: "200")));
    }

    [Fact]
    public void Only_successive_collections_are_comparable()
    {
        Support.ParsedScrape scrape = Scrape(7, "1", "1", null, "0", "0");
        Assert.True(SoakLedger.AreSuccessive(scrape, Scrape(8, "1", "1", null, "0", "0")));
        Assert.False(SoakLedger.AreSuccessive(scrape, Scrape(9, "1", "1", null, "0", "0")));
    }

    private static Support.ParsedScrape Scrape(int collection, string process, string first, string? second, string folded, string transient, string start = "100")
    {
        const string Process = "daemon=\"d\",pid=\"5\",pname=\"p\"";
        string Thread(string tid, string value) => $"perfscale_thread_cpu_seconds_total{{daemon=\"d\",ppid=\"5\",pname=\"p\",tid=\"{tid}\",tname=\"t\"}} {value}\n";
        return Support.ParsedScrape.Parse(
            "# TYPE perfscale_thread_cpu_seconds_total counter\n" + Thread("5", first) + (second is null ? "" : Thread("6", second))
            + $"# TYPE perfscale_process_cpu_seconds_total counter\nperfscale_process_cpu_seconds_total{{{Process}}} {process}\n"
            + $"# TYPE perfscale_process_folded_threads_cpu_seconds_total counter\nperfscale_process_folded_threads_cpu_seconds_total{{{Process}}} {folded}\n"
            + $"# TYPE perfscale_process_transient_threads_cpu_seconds_total counter\nperfscale_process_transient_threads_cpu_seconds_total{{{Process}}} {transient}\n"
            + $"# TYPE perfscale_process_start_time_seconds gauge\nperfscale_process_start_time_seconds{{{Process}}} {start}\n"
            + $"# TYPE thread_exporter_collections_total counter\nthread_exporter_collections_total {collection}\n");
    }
}
