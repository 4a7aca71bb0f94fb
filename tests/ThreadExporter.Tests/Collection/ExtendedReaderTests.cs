using Microsoft.Extensions.Time.Testing;
using ThreadExporter.Configuration;
using ThreadExporter.Model;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Collection;

/// <summary><see cref="ThreadExporter.Collection.ExtendedReader"/>: when it reads which file, and what it does when a file cannot be read.</summary>
public sealed class ExtendedReaderTests : IDisposable
{
    private const ExtendedKinds All = ExtendedKinds.ContextSwitches | ExtendedKinds.Faults | ExtendedKinds.Io | ExtendedKinds.LastCpu;

    private static readonly TimeSpan Refresh = TimeSpan.FromHours(1);

    private readonly FixtureProc _proc = new();
    private readonly FakeTimeProvider _clock = FakeClock.Create();
    private readonly int _pid;

    public ExtendedReaderTests()
    {
        _pid = 10;
        MakeProcess(_pid);
    }

    public void Dispose() => _proc.Dispose();

    [Fact]
    public void When_it_is_off_nothing_is_read_or_shown()
    {
        File.Delete(Path.Combine(_proc.Root, "10/task/11/status"));
        _proc.Write("10/task/11/io", "garbage"u8);
        using LiveCollector live = Live(ExtendedKinds.None);
        Run(1_001);
        Assert.All(live.Collect(10)!.Threads, t => Assert.Equal(ExtendedKinds.None, t.Reading.Extended));
        CollectionDiagnostics errors = live.Collector.Errors;
        Assert.Equal((0, 0, 0, 0), (errors.Gone, errors.Denied, errors.Malformed, errors.Other));
        string text = live.Render();
        foreach (string name in (string[])["switches", "faults", "_io_", "last_cpu"])
            Assert.DoesNotContain(name, text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData((int)ExtendedKinds.ContextSwitches, "involuntary_context_switches voluntary_context_switches")]
    [InlineData((int)ExtendedKinds.Faults, "major_faults minor_faults")]
    [InlineData((int)ExtendedKinds.Io, "io_read_bytes io_write_bytes")]
    [InlineData((int)ExtendedKinds.LastCpu, "last_cpu")]
    [InlineData((int)(ExtendedKinds.Faults | ExtendedKinds.LastCpu), "last_cpu major_faults minor_faults")]
    public void Each_kind_shows_its_own_metrics(int kinds, string names)
    {
        using LiveCollector with = Live((ExtendedKinds)kinds), without = Live(ExtendedKinds.None);
        Assert.Equal(names.Split(' '), Families(with).Except(Families(without)).Order(StringComparer.Ordinal));

        static IEnumerable<string> Families(LiveCollector live)
        {
            live.Collect(10);
            return Support.ParsedScrape.Parse(live.Render()).Samples.Select(s => s.Name["perfscale_".Length..].Replace("thread_", "", StringComparison.Ordinal).Replace("_total", "", StringComparison.Ordinal)).Distinct();
        }
    }

    [Fact]
    public void Extended_counters_are_read_when_the_thread_has_run_or_its_refresh_is_due()
    {
        using LiveCollector live = Live(All);
        Assert.Equal((3, 4, 10, 0, 4096, 8192, 1), Worker(live));
        // Same run time: not read.
        Change();
        Assert.Equal((3, 4, 10, 0, 4096, 8192, 1), Worker(live));
        Run(1_001);
        Assert.Equal((30, 40, 100, 7, 40960, 81920, 3), Worker(live));
        _proc.ThreadStatus(10, 11, 31, 40);
        Assert.Equal(30, Worker(live).Item1);
        _clock.Advance(Refresh);
        Assert.Equal(31, Worker(live).Item1);
    }

    [Fact]
    public void Without_sched_info_extended_counters_are_read_in_each_collection()
    {
        _proc.Write("self/schedstat", "0 0 0\n"u8);
        using LiveCollector live = Live(All);
        Assert.Equal((3, 4, 10, 0, 4096, 8192, 1), Worker(live));
        Change();
        Assert.Equal((30, 40, 100, 7, 40960, 81920, 3), Worker(live));
    }

    [Fact]
    public void A_reload_switches_extended_counters_on_and_off_for_threads_that_do_not_run()
    {
        // The process clock does not move, so no thread would be read.
        using Sleeper sleeper = new();
        _proc.SharePidNamespace();
        MakeProcess(sleeper.Pid);
        using LiveCollector live = Live(ExtendedKinds.None);
        for (int i = 0; i < 8; i++)
            live.Collect(sleeper.Pid);
        live.Use(Config(ExtendedKinds.Faults));
        Assert.Equal((-1, -1, 10, 0, -1, -1, -1), Values(live.Collect(sleeper.Pid)!.Threads[0]));
        live.Use(Config(All));
        Assert.All(live.Collect(sleeper.Pid)!.Threads, t => Assert.Equal((3, 4, 10, 0, 4096, 8192, 1), Values(t)));
        live.Use(Config(ExtendedKinds.Io));
        Assert.Equal((-1, -1, -1, -1, 4096, 8192, -1), Values(live.Collect(sleeper.Pid)!.Threads[0]));
        live.Use(Config(ExtendedKinds.None));
        Assert.All(live.Collect(sleeper.Pid)!.Threads, t => Assert.Equal(ExtendedKinds.None, t.Reading.Extended));
    }

    [Fact]
    public void Another_thread_behind_the_descriptor_has_its_own_counters_even_when_they_are_lower()
    {
        using LiveCollector live = Live(All);
        live.Collect(10);
        _proc.SchedStat(10, 11, 5, 0, 0);
        _proc.ThreadStat(10, 11, "execed"u8, 0, 0, minorFaults: 2);
        _proc.ThreadStatus(10, 11, 1, 0);
        _proc.Write("10/task/11/io", "garbage\n"u8);
        Assert.Equal((1, 0, 2, 0, -1, -1, 1), Worker(live));
    }

    [Fact]
    public void A_long_list_of_groups_does_not_hide_the_context_switches()
    {
        _proc.ThreadStatus(10, 11, 5, 6, groups: 65_536);
        using LiveCollector live = Live(ExtendedKinds.ContextSwitches);
        Assert.Equal((5, 6), (Worker(live).Item1, Worker(live).Item2));
        Assert.Equal(0, live.Collector.Errors.Malformed);
    }

    [Fact]
    public void A_malformed_file_is_counted_and_changes_neither_the_values_nor_the_other_files()
    {
        using LiveCollector live = Live(All);
        live.Collect(10);
        Change();
        _proc.Write("10/task/11/status", "Uid:\t0\n"u8);
        _proc.Write("10/task/11/io", "read_bytes: 5\n"u8);
        Run(1_001);
        Assert.Equal((3, 4, 100, 7, 4096, 8192, 3), Worker(live));
        Assert.Equal(2, live.Collector.Errors.Malformed);
    }

    [Fact]
    public void A_kernel_without_io_accounting_has_no_such_series_and_no_error()
    {
        foreach (int tid in (int[])[10, 11])
            File.Delete(Path.Combine(_proc.Root, $"10/task/{tid}/io"));
        using LiveCollector live = Live(All);
        Assert.Equal((3, 4, 10, 0, -1, -1, 1), Worker(live));
        Run(1_001);
        Assert.Equal(2, live.Collect(10)!.Threads.Count);
        Assert.DoesNotContain("io_read_bytes_total{", live.Render(), StringComparison.Ordinal);
        CollectionDiagnostics errors = live.Collector.Errors;
        Assert.Equal((0, 0, 0, 0), (errors.Gone, errors.Denied, errors.Malformed, errors.Other));
    }

    [Fact]
    public void Io_that_is_denied_is_counted_each_time_logged_once_and_left_out()
    {
        using LiveCollector live = Live(All);
        Assert.Equal((3, 4, 10, 0, 4096, 8192, 1), Worker(live));
        File.SetUnixFileMode(_proc.Root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        foreach (int tid in (int[])[10, 11])
            File.SetUnixFileMode(Path.Combine(_proc.Root, $"10/task/{tid}/io"), UnixFileMode.None);
        for (int i = 1; i <= 3; i++)
        {
            _proc.SchedStat(10, 10, 1_000 + i, 1, 1);
            Run(1_000 + i);
            Libc.AsNobody(() => live.Collect(10));
        }
        Assert.Equal((3, 4, 10, 0, -1, -1, 1), Values(live.Collector.Processes[0].Threads[1]));
        Assert.Equal(6, live.Collector.Errors.Denied);
        Assert.StartsWith("cannot read io of pid 10: ", Assert.Single(live.Collector.TakeWarnings()), StringComparison.Ordinal);
        Assert.Empty(live.Collector.TakeWarnings());
    }

    private void MakeProcess(int pid)
    {
        _proc.Process(pid, "f", threads: 2);
        foreach (int tid in (int[])[pid, pid + 1])
        {
            _proc.Thread(pid, tid, "f"u8, 1_000, 1, 1);
            _proc.ThreadStatus(pid, tid, 3, 4);
            _proc.ThreadIo(pid, tid, 4096, 8192);
        }
    }

    /// <summary>Changes the files of the second thread without changing its run time.</summary>
    private void Change()
    {
        _proc.ThreadStat(10, 11, "f"u8, 0, 0, minorFaults: 100, majorFaults: 7, cpu: 3);
        _proc.ThreadStatus(10, 11, 30, 40);
        _proc.ThreadIo(10, 11, 40960, 81920);
    }

    private void Run(long cpu) => _proc.SchedStat(10, 11, cpu, 1, 1);

    private LiveCollector Live(ExtendedKinds kinds) => new(Config(kinds), _proc.Root, time: _clock);

    private static ExporterConfig Config(ExtendedKinds kinds) => new()
    {
        Filters = [new FilterConfig { Name = "f", Comm = ["f"] }],
        Collector = new CollectorConfig { RescanInterval = TimeSpan.Zero, RefreshInterval = Refresh, Extended = kinds },
    };

    private static (long, long, long, long, long, long, long) Worker(LiveCollector live) => Values(live.Collect(10)!.Threads[1]);

    private static (long, long, long, long, long, long, long) Values(WatchedThread thread)
    {
        ThreadReading reading = thread.Reading;
        ThreadCounters counters = reading.Counters;
        return (counters[CounterKind.VoluntarySwitches], counters[CounterKind.InvoluntarySwitches], counters[CounterKind.MinorFaults],
            counters[CounterKind.MajorFaults], counters[CounterKind.ReadBytes], counters[CounterKind.WriteBytes], reading.LastCpu);
    }
}
