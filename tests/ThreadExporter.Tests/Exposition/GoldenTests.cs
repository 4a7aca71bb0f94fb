using System.Text;
using ThreadExporter.Configuration;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Exposition;

/// <summary><see cref="ThreadExporter.Exposition.ThreadMetrics"/>: the whole text for a fixture. <c>UPDATE_GOLDEN=1</c> rewrites the files.</summary>
public class GoldenTests
{
    [Theory]
    [InlineData(false, "threads.txt")]
    [InlineData(true, "threads.openmetrics")]
    public void The_text_for_a_fixture_is_the_golden_file(bool openMetrics, string file)
    {
        using FixtureProc proc = new();
        proc.Process(4711, "ceph-osd", threads: 3, start: 250_000, cmdline: "/usr/bin/ceph-osd -f --id 3");
        proc.Thread(4711, 4711, "ceph-osd"u8, 1_234_567_890, 12_345, 77, user: 100, kernel: 23);
        proc.Thread(4711, 4712, "tp_osd_tp"u8, 987_654_321_012, 55_000_000, 123_456, user: 90_000, kernel: 8_765, state: 'R');
        proc.Thread(4711, 4713, "((a b ) ( c d) )"u8, state: 'D');
        proc.ProcessStat(4711, "ceph-osd", 3, user: 90_100, kernel: 8_788, start: 250_000);
        proc.Process(4800, "hostile", threads: 2);
        proc.Thread(4800, 4800, [0xff, (byte)'"', (byte)'\\', (byte)'\n', 0xc3, 0x28], 1);
        proc.Thread(4800, 4801, ""u8, 9_999_999_999);

        using LiveCollector live = new(LiveCollector.Config(new FilterConfig { Name = "all", Comm = ["*"] }), proc.Root);
        live.Collector.Collect(live.Snapshot);
        // The boot time is that of the machine that runs the test.
        string text = string.Join('\n', live.Render(openMetrics).Split('\n').Select(line =>
            line.StartsWith("perfscale_process_start_time_seconds{", StringComparison.Ordinal) ? line[..line.LastIndexOf(' ')] + " BOOT" : line));

        AssertGolden(file, text);
    }

    [Theory]
    [InlineData(false, "extended.txt")]
    [InlineData(true, "extended.openmetrics")]
    public void The_text_of_the_extended_counters_is_the_golden_file(bool openMetrics, string file)
    {
        using FixtureProc proc = new();
        proc.Process(4711, "mariadbd", threads: 3);
        proc.Thread(4711, 4711, "mariadbd"u8);
        proc.ThreadStatus(4711, 4711, 0, 0);
        proc.ThreadIo(4711, 4711, 0, 0);
        proc.Thread(4711, 4712, "((a b ) ( c d) )"u8);
        proc.ThreadStat(4711, 4712, "((a b ) ( c d) )"u8, 0, 0, minorFaults: 123_456_789_012, majorFaults: 42, cpu: 191);
        proc.ThreadStatus(4711, 4712, 9_000_000_000, 77);
        proc.ThreadIo(4711, 4712, 1_099_511_627_776, 8192);
        // What cannot be read is left out.
        proc.Thread(4711, 4713, "bare"u8);

        ExporterConfig config = LiveCollector.Config(new FilterConfig { Name = "all", Comm = ["*"] });
        ExtendedKinds all = ExtendedKinds.ContextSwitches | ExtendedKinds.Faults | ExtendedKinds.Io | ExtendedKinds.LastCpu;
        using LiveCollector live = new(config with { Collector = config.Collector with { Extended = all } }, proc.Root);
        live.Collector.Collect(live.Snapshot);
        string[] names = ["switches", "faults", "_io_", "last_cpu"];
        AssertGolden(file, string.Concat(live.Render(openMetrics).Split('\n').Where(line => names.Any(n => line.Contains(n, StringComparison.Ordinal))).Select(line => line + "\n")));
    }

    [Theory]
    [InlineData(false, "cgroups.txt")]
    [InlineData(true, "cgroups.openmetrics")]
    public void The_text_of_the_cgroups_is_the_golden_file(bool openMetrics, string file)
    {
        using FixtureProc proc = new();
        using FixtureCgroups cgroups = new();
        cgroups.MountVersion2();
        cgroups.Version2("pods", usage: 50_000_123, periods: 100, throttledPeriods: 71, throttled: 5_000_001, max: "250000 100000");
        cgroups.Version2("pods/database", usage: 1_000_000, periods: 0, throttledPeriods: 0, throttled: 0, max: "max 100000", pressure: 500_000);
        cgroups.Version2("pods/a\"b\\x2d", usage: 0);
        foreach ((int pid, string cgroup) in (ReadOnlySpan<(int, string)>)[(4711, "/pods/database"), (4712, "/pods/database"), (4713, "/pods/a\"b\\x2d")])
        {
            proc.Process(pid, "mariadbd", cgroup: $"0::{cgroup}\n");
            proc.Thread(pid, pid, "mariadbd"u8);
        }
        using LiveCollector live = new(LiveCollector.Config(new FilterConfig { Name = "all", Comm = ["*"] }), proc.Root, cgroups: cgroups.Open());
        live.Collector.Collect(live.Snapshot);
        AssertGolden(file, string.Concat(live.Render(openMetrics).Split('\n').Where(line => line.Contains("cgroup", StringComparison.Ordinal)).Select(line => line + "\n")));
    }

    private static void AssertGolden(string file, string text)
    {
        string path = Repository.File($"tests/ThreadExporter.Tests/Exposition/Golden/{file}");
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, text, new UTF8Encoding(false));
        Assert.Equal(File.ReadAllText(path), text);
    }
}
