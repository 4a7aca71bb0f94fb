using System.Diagnostics;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.EndToEnd;

/// <summary>
/// <see cref="ThreadExporter.Collection.Collector"/> in the daemon: processes and threads that start and exit as fast as possible during a
/// thousand scrapes.
/// </summary>
public class VanishingTests
{
    [SlowFact]
    public async Task A_thousand_scrapes_during_churn_are_complete_and_correct()
    {
        using TempConfig config = new("[[filter]]\nname = \"w\"\nmatch = \"workload\"\n[[filter]]\nname = \"short\"\nmatch = \"true, sleep, sh\"\nchildren = true\n");
        await using Daemon daemon = await Daemon.StartAsync(["--config", config.Path]);
        using Workload steady = new();
        steady.Spawn("steady", "30");
        using Workload churning = new();
        using CancellationTokenSource stop = new();
        Task threads = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
                churning.Churn(50, 0);
        }, CancellationToken.None);
        using Process processes = Process.Start("/bin/sh", ["-c", "while :; do /bin/true; sleep 0.001 & done"]);
        int samples = 0;
        try
        {
            Dictionary<string, Sample> last = [];
            for (int i = 0; i < 1000; i++)
            {
                using HttpResponseMessage response = await daemon.Http.GetAsync("/metrics", TestContext.Current.CancellationToken);
                Assert.Equal(200, (int)response.StatusCode);
                Support.ParsedScrape scrape = Support.ParsedScrape.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
                foreach (Sample sample in scrape.Samples.Where(s => s.Name.EndsWith("_total", StringComparison.Ordinal)))
                {
                    // A reused pid or tid belongs to another series; those of the steady process and the exporter are not reused.
                    string series = $"{sample.Name}{{{string.Join(',', sample.Labels)}}}";
                    if (sample.Labels.Values.Contains($"{steady.Pid}") && last.TryGetValue(series, out Sample? before))
                        Assert.True(sample.Number >= before.Number, $"{series} decreased from {before.Value} to {sample.Value}");
                    last[series] = sample;
                }
                samples += scrape.Samples.Count();
                Assert.Contains(scrape.Of("perfscale_thread_cpu_seconds_total"), s => s.Labels["tname"] == "steady");
            }
        }
        finally
        {
            processes.Kill();
            processes.WaitForExit();
            await stop.CancelAsync();
            await threads;
        }
        Support.ParsedScrape final = await daemon.ScrapeParsedAsync();
        // For the reader: the test is effective when processes or threads exited between two reads.
        TestContext.Current.SendDiagnosticMessage($"{samples} samples, {final.Value("thread_exporter_read_errors_total", ("reason", "gone"))} vanished while being read");
        Assert.Equal(0, final.Value("thread_exporter_read_errors_total", ("reason", "malformed")));
        Assert.Equal(0, final.Value("thread_exporter_read_errors_total", ("reason", "other")));
        Assert.DoesNotContain(" error ", daemon.Log, StringComparison.Ordinal);
    }
}
