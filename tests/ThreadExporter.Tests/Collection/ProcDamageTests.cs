using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using ThreadExporter.Collection;
using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Model;
using ThreadExporter.Procfs;
using ThreadExporter.Tests.Fuzz;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Collection;

/// <summary>
/// <see cref="Collector"/> on a /proc with errors: what cannot be read is counted and left out, the rest is served, and
/// everything is read again when the error ends.
/// </summary>
public class ProcDamageTests
{
    private static readonly FilterConfig Watched = new() { Name = "f", Comm = ["f*"] };

    public static TheoryData<string, string, string> Faults()
    {
        TheoryData<string, string, string> errors = [];
        foreach (string file in (string[])["10/stat", "10/task/11/stat", "10/task/11/schedstat", "10/status", "10/cgroup"])
        {
            foreach (string kind in (string[])["garbage", "cut", "NUL", "huge number", "negative", "endless"])
                errors.Add(file, kind, "malformed");
            // A cgroup file without a line is valid (a kernel without cgroups), and a line of status that is not read may have any contents.
            if (file != "10/cgroup")
                errors.Add(file, "empty", "malformed");
            if (file != "10/status")
                errors.Add(file, "not UTF-8", "malformed");
        }
        foreach (string file in (string[])["10/stat", "10/task/11/stat", "10/task/11/schedstat", "10/status", "10/cgroup", "10/cmdline"])
        {
            foreach (string kind in (string[])["EIO", "EISDIR", "ELOOP", "FIFO"])
                errors.Add(file, kind, "other");
            errors.Add(file, "EACCES", "denied");
        }
        foreach (string file in (string[])["10/stat", "10/status", "10/cgroup", "10/cmdline"])
            errors.Add(file, "ENOENT", "gone");
        return errors;
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public void An_error_is_counted_under_its_reason_and_affects_no_other_process(string file, string kind, string reason)
    {
        using FixtureProc proc = Tree();
        // The filters read every file of a process, the command line only where it is tested: on a busy machine it may be late.
        FilterConfig[] filters =
        [
            new() { Name = "u", Comm = ["f1"], User = ["0"], Cgroup = ["/*"], Cmdline = file == "10/cmdline" ? new Regex("f1") : null },
            new() { Name = "rest", Comm = ["f*"] },
        ];
        using LiveCollector live = new(LiveCollector.Config(filters), proc.Root);
        Collect(live, 10);
        Assert.Equal([10, 20], live.Collector.Processes.Select(p => p.Pid));
        Assert.Equal(new long[4], Errors(live));

        Damage(proc, file, kind);
        proc.SchedStat(20, 21, 5_000, 1, 2);
        // This collector has not seen the process yet; the other one reads some files again only when they are due.
        using LiveCollector other = new(LiveCollector.Config(filters), proc.Root);
        foreach (LiveCollector collector in (LiveCollector[])[live, other])
        {
            WatchedProcess process = Collect(collector, 20)!;
            Assert.Equal((2, 5_000), (process.Threads.Count, process.Threads[1].Cpu));
            Support.ParsedScrape scrape = Support.ParsedScrape.Parse(collector.Render());
            Assert.Equal(2, scrape.Of("perfscale_thread_cpu_seconds_total").Count(s => s.Labels["ppid"] == "20"));
        }
        string[] reasons = ["gone", "denied", "malformed", "other"];
        long[] errors = Errors(other);
        Assert.True(errors[Array.IndexOf(reasons, reason)] > 0, $"not counted: {string.Join(' ', errors)}");
        Assert.Equal(errors[Array.IndexOf(reasons, reason)], errors.Sum());

        Repair(proc);
        foreach (LiveCollector collector in (LiveCollector[])[live, other])
        {
            // Found again if it was dropped; the command line may take a while on a busy machine.
            Eventually.True(() => Collect(collector, 10) is { Filter.Name: "u", Threads.Count: 2 }, "all is well again");
            long[] before = Errors(collector);
            Collect(collector, 10);
            Assert.Equal(before, Errors(collector));
        }

        // Root may read everything.
        WatchedProcess? Collect(LiveCollector collector, int pid)
        {
            WatchedProcess? process = null;
            if (kind == "EACCES")
                Libc.AsNobody(() => process = collector.Collect(pid));
            else
                process = collector.Collect(pid);
            return process;
        }
    }

    [Theory]
    [InlineData(5, "other")] // EIO
    [InlineData(13, "denied")] // EACCES
    [InlineData(3, "gone")] // ESRCH
    public void A_kept_descriptor_that_fails_at_the_second_read_affects_that_reading_only(int errno, string reason)
    {
        using FixtureProc proc = Tree();
        proc.ProcessStat(10, "f1", 2);
        using FuseFile file = new(Path.Combine(proc.Root, "10/task/11/schedstat"), read => read switch
        {
            // A thread that is first seen is read twice.
            < 2 => ("1000 2 3\n"u8.ToArray(), 0),
            2 => ([], errno),
            _ => ("3000 2 4\n"u8.ToArray(), 0),
        });
        using (LiveCollector live = new(LiveCollector.Config(Watched), proc.Root))
        {
            Assert.Equal(1_000, live.Collect(10)!.Threads.Single(t => t.Tid == 11).Cpu);
            Assert.Equal(2, file.Reads);
            WatchedProcess process = live.Collect(10)!;
            if (reason == "gone")
            {
                // ESRCH means that the thread has exited. Its tid is still listed, so it counts as a new thread.
                Assert.Equal(3_000, process.Threads.Single(t => t.Tid == 11).Cpu);
            }
            else
            {
                Assert.Equal(1_000, process.Threads.Single(t => t.Tid == 11).Cpu);
                Assert.Equal(1, reason == "denied" ? live.Collector.Errors.Denied : live.Collector.Errors.Other);
            }
            Assert.Equal(3_000, live.Collect(10)!.Threads.Single(t => t.Tid == 11).Cpu);
        }
    }

    [Fact]
    public void Random_damage_in_any_file_never_breaks_a_scrape()
    {
        ulong seed = (ulong)Stopwatch.GetTimestamp();
        Random random = new((int)(seed & int.MaxValue));
        using FixtureProc proc = Tree();
        Mutator stats = new([.. Files(proc, "stat", "status", "schedstat", "cgroup", "cmdline", "comm")], [[0], [255], "\n"u8.ToArray(), ")"u8.ToArray(), " "u8.ToArray(), new byte[3000]]);
        FilterConfig[] filters =
        [
            new() { Name = "all keys", Comm = ["f*"], User = ["0"], Cgroup = ["/*"], Cmdline = new Regex("f"), Daemon = new Regex("(.+)"), Children = true },
            new() { Name = "rest", Comm = ["*"], Children = true },
        ];
        using LiveCollector live = new(new ExporterConfig
        {
            Filters = [.. filters],
            Collector = new CollectorConfig { RescanInterval = TimeSpan.Zero, RefreshInterval = TimeSpan.FromMilliseconds(1), MaxDescriptors = 3 },
        }, proc.Root);
        using ProcfsRoot root = ProcfsRoot.Open(proc.Root);
        Sampler sampler = new(root, live.Collector);
        string[] targets =
        [
            .. from pid in (int[])[10, 20]
               from name in (string[])["stat", "status", "cgroup", "cmdline", "comm", "", "task", $"task/{pid}", $"task/{pid + 1}", $"task/{pid}/stat", $"task/{pid}/schedstat", $"task/{pid + 1}/stat", $"task/{pid + 1}/schedstat"]
               select $"{pid}/{name}",
            "self", "1", "4194304", "2147483647",
        ];
        string[] kinds = ["EIO", "EISDIR", "ELOOP", "FIFO", "ENOENT", "endless", "empty"];
        int round = 0;
        try
        {
            for (; round < 200; round++)
            {
                if (round % 8 == 0)
                    Repair(proc);
                for (int i = random.Next(4); i >= 0; i--)
                {
                    string target = targets[random.Next(targets.Length)];
                    if (random.Next(3) == 0)
                        Damage(proc, target, kinds[random.Next(kinds.Length)]);
                    else if (File.Exists(Path.Combine(proc.Root, target)))
                        Replace(proc, target, stats.Make(seed, random.NextInt64()).ToArray());
                }
                long begin = Stopwatch.GetTimestamp();
                live.Collector.Collect(live.Snapshot);
                sampler.Tick(live.Snapshot.Config.Sampler, Clocks.MonotonicNanoseconds());
                foreach (Sample sample in Support.ParsedScrape.Parse(live.Render()).Samples)
                    Assert.InRange(sample.Number, 0, sample.Name.Contains("seconds", StringComparison.Ordinal) ? 9.3e9 : 9.3e18);
                Assert.True(Stopwatch.GetElapsedTime(begin) < TimeSpan.FromSeconds(10), "it hung");
            }
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"seed {seed}, round {round}", e);
        }
        Assert.All((long[])[live.Collector.Errors.Gone, live.Collector.Errors.Malformed, live.Collector.Errors.Other], count => Assert.True(count > 0));

        Repair(proc);
        live.Collector.Collect(live.Snapshot);
        WatchedProcess process = live.Collect(20)!;
        Assert.Equal([(20, 700L), (21, 800L)], process.Threads.Select(t => (t.Tid, t.Cpu)));
        Eventually.True(() => live.Collect(20)!.Filter.Name == "all keys", "the command line is known again");
    }

    private static FixtureProc Tree()
    {
        FixtureProc proc = new();
        File.SetUnixFileMode(proc.Root, (UnixFileMode)0b111_101_101);
        Repair(proc);
        return proc;
    }

    private static void Repair(FixtureProc proc)
    {
        foreach (string name in (string[])["10", "20", "self", "1", "4194304", "2147483647"])
            Remove(Path.Combine(proc.Root, name));
        Directory.CreateDirectory(Path.Combine(proc.Root, "self"));
        proc.Write("self/schedstat", "1000 20 3\n"u8);
        foreach (int pid in (int[])[10, 20])
        {
            proc.Process(pid, $"f{pid / 10}", threads: 2, cgroup: "0::/system.slice/f.service\n");
            proc.Thread(pid, pid, "leader"u8, 700, user: 3);
            proc.Thread(pid, pid + 1, "worker"u8, 800, user: 4);
        }
    }

    private static IEnumerable<byte[]> Files(FixtureProc proc, params string[] names) =>
        Directory.EnumerateFiles(proc.Root, "*", SearchOption.AllDirectories).Where(f => names.Contains(Path.GetFileName(f))).Order(StringComparer.Ordinal).Select(File.ReadAllBytes);

    private static void Damage(FixtureProc proc, string target, string kind)
    {
        string path = Path.Combine(proc.Root, target);
        if (!Directory.Exists(Path.GetDirectoryName(path.TrimEnd('/'))))
            return;
        string text = File.Exists(path) ? ReadRegular(path) : "";
        Remove(path);
        path = path.TrimEnd('/');
        switch (kind)
        {
            case "garbage": Replace(proc, target, "no such thing\n"u8); break;
            case "empty": Replace(proc, target, []); break;
            case "cut": Replace(proc, target, Encoding.ASCII.GetBytes(text[..Math.Min(text.Length - 1, text.Contains("Uid", StringComparison.Ordinal) ? 10 : 5)])); break;
            case "NUL": Replace(proc, target, new byte[100]); break;
            case "huge number": Replace(proc, target, Encoding.ASCII.GetBytes(Numbers(text, "99999999999999999999999"))); break;
            case "negative": Replace(proc, target, Encoding.ASCII.GetBytes(Numbers(text, "-7"))); break;
            case "not UTF-8": Replace(proc, target, [0xff, 0xfe, .. Encoding.ASCII.GetBytes(text), 0xc3]); break;
            case "endless": File.CreateSymbolicLink(path, "/dev/zero"); break;
            case "EIO": File.CreateSymbolicLink(path, "/proc/self/mem"); break;
            case "EISDIR": Directory.CreateDirectory(path); break;
            case "ELOOP": File.CreateSymbolicLink(path, path); break;
            case "FIFO": Libc.MakeFifo(path); break;
            case "EACCES": Replace(proc, target, Encoding.ASCII.GetBytes(text)); File.SetUnixFileMode(path, UnixFileMode.None); break;
            case "ENOENT": break;
            default: throw new ArgumentException(kind);
        }
    }

    // Plain files only: reading a FIFO would block.
    private static string ReadRegular(string path) => new FileInfo(path) is { LinkTarget: null, Length: > 0 } ? File.ReadAllText(path) : "";

    private static string Numbers(string text, string number) => Regex.Replace(text, "[0-9]+(?=[^0-9]*$|[ \t:])", number);

    private static void Replace(FixtureProc proc, string target, ReadOnlySpan<byte> content)
    {
        string path = Path.Combine(proc.Root, target.TrimEnd('/'));
        // An empty file may be a FIFO, and opening it would wait for a reader.
        if (new FileInfo(path) is var file && (file.LinkTarget is not null || (file.Exists && file.Length == 0)))
            Remove(path);
        proc.Write(target.TrimEnd('/'), content);
    }

    private static void Remove(string path)
    {
        path = path.TrimEnd('/');
        if (Directory.Exists(path) && new DirectoryInfo(path).LinkTarget is null)
            Directory.Delete(path, recursive: true);
        else
            File.Delete(path);
    }

    private static long[] Errors(LiveCollector live) =>
        [live.Collector.Errors.Gone, live.Collector.Errors.Denied, live.Collector.Errors.Malformed, live.Collector.Errors.Other];
}
