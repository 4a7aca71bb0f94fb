using System.Text;
using ThreadExporter.Configuration;
using ThreadExporter.Exposition;
using ThreadExporter.Exposition.Buffers;
using ThreadExporter.Netlink;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Packaging;

/// <summary>The files in <c>examples/</c>. <c>UPDATE_GOLDEN=1</c> rewrites <c>metrics.txt</c>.</summary>
public sealed class ExampleTests : IDisposable
{
    private const string Sample = "examples/metrics.txt";

    private readonly FixtureProc _proc = new();
    private readonly FixtureCgroups _cgroups = new();
    private readonly List<ExitRecord> _records = [];

    public void Dispose()
    {
        _proc.Dispose();
        _cgroups.Dispose();
    }

    public static TheoryData<string> Configurations => [.. Directory.EnumerateFiles(Repository.File("examples"), "*.toml").Select(f => Path.GetFileName(f)!)];

    [Theory]
    [MemberData(nameof(Configurations))]
    public void A_configuration_is_valid(string file)
    {
        ConfigResult result = ConfigLoader.Load(Repository.File($"examples/{file}"), new ConfigOverrides());
        Assert.Empty(result.Errors);
        Assert.NotEmpty(result.Config!.Filters);
    }

    [Fact]
    public void The_sample_is_what_a_made_up_host_shows()
    {
        string text = Scrape();
        string path = Repository.File(Sample);
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, text, new UTF8Encoding(false));
        Assert.Equal(Constant(File.ReadAllText(path)), Constant(text));
    }

    [Fact]
    public void The_sample_has_every_metric()
    {
        HashSet<string> shown = [.. File.ReadLines(Repository.File(Sample)).Where(l => l[0] != '#').Select(l => l[..l.IndexOfAny(['{', ' '])])];
        Assert.Equal(MetricCatalog.All.Select(f => f.Name).Order(StringComparer.Ordinal), shown.Order(StringComparer.Ordinal));
    }

    /// <summary>The lines, without the values that depend on the machine and the version.</summary>
    private static string[] Constant(string text) => [.. text.Split('\n').Select(line =>
        line.StartsWith("thread_exporter_build_info", StringComparison.Ordinal) ? "thread_exporter_build_info"
        : line.StartsWith("thread_exporter_", StringComparison.Ordinal) || line.StartsWith("process_", StringComparison.Ordinal)
            || line.StartsWith("perfscale_process_start_time_seconds", StringComparison.Ordinal) ? line[..line.LastIndexOf(' ')]
        : line)];

    private string Scrape()
    {
        _cgroups.MountVersion2();
        _cgroups.Version2("ceph", usage: 988_900_000, periods: 86_400, throttledPeriods: 321, throttled: 12_345_678, max: "400000 100000", pressure: 45_000_000);
        _cgroups.Version2("postgresql", usage: 61_000_000);
        Osd(waitedTicks: 100);
        Postgres(5000, "postgres", 1);
        Postgres(5001, "postgres", 5000);
        FilterConfig osd = new() { Name = "osd", Comm = ["ceph-osd"] };
        FilterConfig postgresql = new() { Name = "postgresql", Comm = ["postgres"], Group = true, Threads = new ThreadsConfig { Detail = ThreadDetail.Name } };
        ExporterConfig config = LiveCollector.Config(osd, postgresql);
        ExtendedKinds all = ExtendedKinds.ContextSwitches | ExtendedKinds.Faults | ExtendedKinds.Io | ExtendedKinds.LastCpu;
        using LiveCollector live = new(config with { Collector = config.Collector with { Extended = all } }, _proc.Root, cgroups: _cgroups.Open());
        live.Collector.Exits.Subscription.Simulate(into =>
        {
            into.AddRange(_records);
            _records.Clear();
            return true;
        });
        live.Collector.Collect(live.Snapshot);
        // A series starts with 0, so what exits first makes it known.
        for (int i = 0; i < 3; i++)
        {
            Exit(4790 + i, 4711, "fn_anonymous", 250);
            Exit(4900 + i, 4900 + i, "ceph-osd", 40, isLast: true);
            Osd(waitedTicks: 110, exited: (ulong)i * 25);
            live.Collector.Collect(live.Snapshot);
        }
        SelfMetrics self = new();
        self.SetLogins(12, 340, 1, 0);
        self.SetTls(filesUsable: true, new DateTime(2027, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        self.ReloadSuccessful.Set(1);
        self.LogFileWritable.Set(1);
        self.SetRecorder(isOn: true, written: 17_280, lost: 0, errors: 0, bytes: 24_600_000, lastWrite: 1_795_000_000_000, oldest: 1_794_913_600_000);
        PooledBuffer buffer = new(new ChunkPool());
        ThreadMetrics.Write(live.Collector.Owners, _ => true, live.Collector, live.Snapshot.Config.Sampler, new ExpositionWriter(buffer, openMetrics: false));
        self.Write(buffer, openMetrics: false, live.Collector, live.Snapshot);
        string text = buffer.Text();
        buffer.Release();
        return text;
    }

    private void Osd(long waitedTicks, ulong exited = 0)
    {
        (string Name, long Cpu, long Wait)[] threads = [("ceph-osd", 12_345_678_901, 1_234_567), ("tp_osd_tp", 654_321_098_765, 9_876_543_210), ("bstore_kv_sync", 321_098_765_432, 456_789_012)];
        _proc.Process(4711, "ceph-osd", threads: threads.Length, start: 250_000, cmdline: "/usr/bin/ceph-osd -f --id 3", cgroup: "0::/ceph\n");
        for (int i = 0; i < threads.Length; i++)
        {
            (string name, long cpu, long wait) = threads[i];
            ulong user = (ulong)(cpu / 20_000_000);
            _proc.Thread(4711, 4711 + i, Encoding.UTF8.GetBytes(name), cpu, wait, 1000 * (i + 1), user, user / 4, state: i == 1 ? 'R' : 'S', start: 250_000);
            _proc.ThreadStatus(4711, 4711 + i, 900 * (i + 1), 100 * (i + 1));
            _proc.ThreadIo(4711, 4711 + i, 4096 * i, 8192 * i);
        }
        _proc.ProcessStat(4711, "ceph-osd", threads.Length, user: 82_000 + exited, kernel: 16_800, start: 250_000, waitedUser: waitedTicks);
    }

    private void Postgres(int pid, string name, int parent)
    {
        _proc.Process(pid, name, ppid: parent, start: 300_000, cgroup: "0::/postgresql\n");
        _proc.Thread(pid, pid, Encoding.UTF8.GetBytes(name), 30_500_000_000, 200_000_000, 4000, user: 2_500, kernel: 550, start: 300_000);
        _proc.ThreadStatus(pid, pid, 3900, 100);
        _proc.ThreadIo(pid, pid, 1_048_576, 65_536);
        _proc.ProcessStat(pid, name, 1, user: 2_500, kernel: 550, start: 300_000, ppid: parent);
    }

    private void Exit(int tid, int process, string name, long milliseconds, bool isLast = false) => _records.Add(new ExitRecord
    {
        Tid = tid,
        Tgid = process,
        Ppid = 1,
        Comm = Encoding.UTF8.GetBytes(name),
        CpuNanoseconds = milliseconds * Rig.Ms,
        IsLastThread = isLast,
    });
}
