using System.Diagnostics;
using System.Text.RegularExpressions;
using ThreadExporter.Configuration;
using ThreadExporter.Model;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Collection;

/// <summary>
/// <see cref="ThreadExporter.Collection.DescriptorBudget"/>: fewer descriptors than threads, by max_descriptors, by RLIMIT_NOFILE, and for a
/// moment none at all.
/// </summary>
/// <remarks>Not in parallel with other tests, because one test leaves the whole process without descriptors.</remarks>
[CollectionDefinition(nameof(DescriptorTests), DisableParallelization = true)]
[Collection(nameof(DescriptorTests))]
public class DescriptorTests
{
    [Theory]
    [InlineData(7, 20_000)]
    [InlineData(10_000, 256 + 1 + 7)]
    [InlineData(0, 20_000)]
    public void Threads_without_a_descriptor_are_read_by_path_and_are_exact(int maxDescriptors, long limit)
    {
        using Workload workload = new();
        int[] tids = [.. Enumerable.Range(0, 20).Select(i => workload.Get($"steps t{i}"))];
        using LiveCollector live = new(Config(workload, maxDescriptors), descriptorLimit: limit);
        live.Collect(workload.Pid);
        for (int round = 0; round < 5; round++)
        {
            foreach (int tid in tids)
                workload.Do($"do {tid} burst 50");
            Eventually.True(() => tids.All(tid => Kernel.State(workload.Pid, tid) == 'S'), "all sleep");
            WatchedProcess process = live.Collect(workload.Pid)!;
            Assert.Equal(
                tids.Select(tid => (tid, Kernel.SchedStat(workload.Pid, tid))),
                tids.Select(tid => process.Threads.Single(t => t.Tid == tid)).Select(t => (t.Tid, (t.Cpu, t.Reading.Counters.Wait, t.Reading.Counters.Timeslices))));
            int kept = Math.Min(maxDescriptors, 7);
            Assert.Equal(kept, process.Threads.Count(t => t.Descriptor >= 0));
            Assert.Equal((kept + 1, kept + 1), (live.Collector.Descriptors, Kernel.OwnDescriptorsOn(workload.Pid)));
        }
    }

    [Fact]
    public void Descriptors_of_exited_threads_go_to_other_threads()
    {
        using Workload workload = new();
        int[] first = [.. Enumerable.Range(0, 10).Select(_ => workload.Spawn("first", "idle"))];
        using LiveCollector live = new(Config(workload, 8));
        live.Collect(workload.Pid);
        int[] late = [.. Enumerable.Range(0, 10).Select(_ => workload.Spawn("late", "idle"))];
        Assert.All(live.Collect(workload.Pid)!.Threads.Where(t => late.Contains(t.Tid)), t => Assert.Equal(-1, t.Descriptor));
        foreach (int tid in first)
            workload.Exit(tid);
        Eventually.True(() => live.Collect(workload.Pid)!.Threads.Count(t => t.Descriptor >= 0) == 8, "all eight are in use");
        Assert.Equal(9, Kernel.OwnDescriptorsOn(workload.Pid));
    }

    [Fact]
    public void A_reload_that_changes_max_descriptors_applies_to_known_threads()
    {
        using Workload workload = new();
        int[] tids = [.. Enumerable.Range(0, 10).Select(i => workload.Get($"steps t{i}"))];
        using LiveCollector live = new(Config(workload, 5));
        WatchedThread[] threads = [.. live.Collect(workload.Pid)!.Threads];
        foreach (int maximum in (int[])[2, 0, 1000, 3])
        {
            live.Use(Config(workload, maximum));
            foreach (int tid in tids)
                workload.Do($"do {tid} burst 10");
            int expected = Math.Min(maximum, threads.Length);
            Assert.Equal(threads, live.Collect(workload.Pid)!.Threads);
            // The threads that were read before one that closed its descriptor could not use that room yet.
            live.Collect(workload.Pid);
            workload.Ask("hello");
            live.Collect(workload.Pid);
            Assert.Equal((expected, expected + 1), (threads.Count(t => t.Descriptor >= 0), Kernel.OwnDescriptorsOn(workload.Pid)));
        }
    }

    [Fact]
    public void A_moment_without_any_descriptor_loses_and_restarts_no_counter()
    {
        using Workload workload = new();
        int[] tids = [.. Enumerable.Range(0, 6).Select(i => workload.Get($"steps t{i}"))];
        // The filter opens files of the process and matches again in each collection; half of the threads are read by path.
        ExporterConfig config = Config(workload, 5);
        using LiveCollector live = new(config with { Filters = [new FilterConfig { Name = "w", User = ["0", $"{Environment.UserName}"], Cmdline = new Regex("workload$"), Pid = [workload.Pid] }] });
        WatchedProcess process = live.Collect(workload.Pid)!;
        Dictionary<int, WatchedThread> before = process.Threads.ToDictionary(t => t.Tid);
        foreach (int tid in tids)
            workload.Do($"do {tid} burst 1000");
        int late = workload.Spawn("late", "idle");
        Eventually.True(() => tids.Append(late).All(tid => Kernel.State(workload.Pid, tid) == 'S'), "all sleep");
        Thread.Sleep(10);

        Libc.WithoutDescriptors(() => live.Collector.Collect(live.Snapshot));
        Assert.Same(process, Assert.Single(live.Collector.Processes));
        Assert.True(live.Collector.Errors.Other > 0);
        Assert.Equal(before.Values, process.Threads);

        // The process has not run since, but the new thread is found and the threads that could not be read are read.
        Assert.Same(process, live.Collect(workload.Pid));
        Assert.Contains(process.Threads, t => t.Tid == late);
        foreach (int tid in tids)
        {
            WatchedThread thread = process.Threads.Single(t => t.Tid == tid);
            Assert.Same(before[tid], thread);
            Assert.Equal(Kernel.SchedStat(workload.Pid, tid), (thread.Cpu, thread.Reading.Counters.Wait, thread.Reading.Counters.Timeslices));
        }
    }

    [Fact]
    public async Task A_daemon_with_a_low_limit_shows_every_thread()
    {
        using Workload workload = new();
        for (int i = 0; i < 100; i++)
            workload.Spawn($"t{i}", "idle");
        using Process once = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "ulimit -n 300 && exec \"$0\" once --filter \"$1\"", Daemon.Program, $"{workload.Pid}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        string text = await once.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        string error = await once.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await once.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(once.ExitCode == 0, error);
        Support.ParsedScrape scrape = Support.ParsedScrape.Parse(text);
        string[] names = [.. scrape.Of("perfscale_thread_cpu_seconds_total").Select(s => s.Labels["tname"])];
        Assert.All(Enumerable.Range(0, 100), i => Assert.Contains($"t{i}", names));
        // 300 without the 256 that are reserved for sockets and files.
        Assert.Equal(44, scrape.Value("thread_exporter_descriptors"));
        Assert.Equal(0, scrape.Value("thread_exporter_read_errors_total", ("reason", "other")));
    }

    private static ExporterConfig Config(Workload workload, int maxDescriptors) => new()
    {
        Filters = [LiveCollector.Pid(workload.Pid)],
        Collector = new CollectorConfig { RescanInterval = TimeSpan.Zero, MaxDescriptors = maxDescriptors },
    };
}
