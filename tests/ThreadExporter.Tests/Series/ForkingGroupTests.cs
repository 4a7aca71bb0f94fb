using System.Globalization;
using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Series;

/// <summary>A group of real processes: a shell that forks and waits all the time, while collections are made.</summary>
public class ForkingGroupTests
{
    private const string Cpu = "perfscale_process_cpu_seconds_total";

    // Each line of its input is a number of children; it waits for all of them, and answers.
    private const string Forks = """
        echo started
        while read children
        do
            i=0
            while [ $i -lt $children ]; do (j=0; while [ $j -lt 2000 ]; do j=$((j + 1)); done) & i=$((i + 1)); done
            wait
            echo done
        done
        """;

    [Fact]
    public void A_group_has_the_time_of_children_that_come_and_go_between_collections()
    {
        using Shell shell = new(Forks);
        shell.WaitFor("started");
        using LiveCollector live = new(LiveCollector.Config(shell.Filter with { Group = true, Threads = new ThreadsConfig { Detail = ThreadDetail.Name } }));
        Ledger ledger = new();
        long atStart = Used(shell.Pid);
        ParsedScrape scrape = Collect(live, ledger);
        Assert.Equal(0, scrape.Value(Cpu));
        long before = 0;
        TimeSpan longest = TimeSpan.Zero;
        for (int round = 0; round < 30; round++)
        {
            Task<string?> response = shell.StartAsync(20);
            while (!response.IsCompleted)
            {
                scrape = Collect(live, ledger);
                Assert.True(ledger.Error is null, ledger.Error);
                longest = TimeSpan.FromTicks(Math.Max(longest.Ticks, live.Collector.ReadDuration.Ticks));
                long now = scrape.Of(Cpu).Single().Nanoseconds;
                Assert.True(now >= before, $"fell from {before} to {now}");
                before = now;
                Thread.Sleep(3);
            }
        }
        // Twice: what was waited for during a collection is in the next one.
        Collect(live, ledger);
        scrape = Collect(live, ledger);
        long used = Used(shell.Pid) - atStart;
        long error = Math.Abs(used - scrape.Of(Cpu).Single().Nanoseconds);
        // Two ticks of rounding in what was waited for, and what the shell ran while one collection read it.
        Assert.True(error <= 2 * Clocks.NanosecondsPerTick + longest.Ticks * TimeSpan.NanosecondsPerTick, $"longest collection {longest}, "
            + $"{used} ns were used, {scrape.Of(Cpu).Single().Nanoseconds} ns are shown");
        Assert.True(used > 200 * Rig.Ms, $"only {used} ns were used");
        Assert.Equal(1, scrape.Value("perfscale_group_processes"));
    }

    private static ParsedScrape Collect(LiveCollector live, Ledger ledger)
    {
        live.Collector.Collect(live.Snapshot);
        ParsedScrape scrape = ParsedScrape.Parse(live.Render());
        ledger.Take(scrape);
        return scrape;
    }

    /// <summary>Nanoseconds that the shell and the children that it has waited for have used, from its clock and its stat.</summary>
    private static long Used(int pid)
    {
        Assert.True(Clocks.TryGetProcessCpu(pid, out long own));
        string stat = File.ReadAllText($"/proc/{pid}/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return own + (long.Parse(fields[13], CultureInfo.InvariantCulture) + long.Parse(fields[14], CultureInfo.InvariantCulture)) * Clocks.NanosecondsPerTick;
    }
}
