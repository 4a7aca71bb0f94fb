using System.Diagnostics;
using ThreadExporter.Cgroups;
using ThreadExporter.Linux;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Cgroups;

/// <summary>The cgroup series of real processes with a real CPU limit, beside the kernel's own files.</summary>
public class RealCgroupTests
{
    // In cores: little enough to be used up also while others use the machine.
    private const double Tight = 0.02;

    private const string Throttled = "perfscale_cgroup_throttled_seconds_total", Periods = "perfscale_cgroup_periods_total",
        ThrottledPeriods = "perfscale_cgroup_throttled_periods_total", Limit = "perfscale_cgroup_cpu_limit_cores",
        Cpu = "perfscale_cgroup_cpu_seconds_total", Pressure = "perfscale_cgroup_cpu_pressure_seconds_total", Info = "perfscale_process_cgroup_info";

    [SlowFact]
    public async Task Throttled_time_of_a_quota_is_that_of_the_kernel()
    {
        using QuotaCgroups cgroups = QuotaCgroups.CreateVersion1();
        cgroups.Limit(Tight);
        int pid = cgroups.Start();
        using LiveCollector live = Watch(cgroups, pid);
        for (int i = 0; i < 5; i++)
        {
            await Task.Delay(600, TestContext.Current.CancellationToken);
            long before = cgroups.Read("cpu.stat", "throttled_time"), periods = cgroups.Read("cpu.stat", "nr_periods"), usage = cgroups.Read("cpuacct.usage");
            ParsedScrape scrape = Scrape(live);
            AssertBetween(before, Single(scrape, Throttled, cgroups).Nanoseconds, cgroups.Read("cpu.stat", "throttled_time"));
            AssertBetween(periods, (long)Single(scrape, Periods, cgroups).Number, cgroups.Read("cpu.stat", "nr_periods"));
            AssertBetween(usage, Single(scrape, Cpu, cgroups).Nanoseconds, cgroups.Read("cpuacct.usage"));
            Assert.Equal(Tight, Single(scrape, Limit, cgroups).Number);
        }
        ParsedScrape last = Scrape(live);
        // One thread on one CPU: what the limit takes away is throttled time.
        Assert.InRange(Single(last, Throttled, cgroups).Number, 1, 10);
        Assert.InRange(Single(last, ThrottledPeriods, cgroups).Number / Single(last, Periods, cgroups).Number, 0.5, 1);
        Assert.Equal((cgroups.Path, $"{pid}"), (Assert.Single(last.Of(Info)).Labels["cgroup"], last.Of(Info).Single().Labels["pid"]));
    }

    [SlowFact]
    public async Task The_limit_of_an_ancestor_is_found_and_one_that_is_set_later_too()
    {
        using QuotaCgroups cgroups = QuotaCgroups.CreateVersion1();
        cgroups.Make("middle/leaf");
        int pid = cgroups.Start("middle/leaf");
        using LiveCollector live = Watch(cgroups, pid);
        ParsedScrape scrape = Scrape(live);
        Assert.Equal([$"{cgroups.Path}/middle/leaf"], scrape.Of(Cpu).Select(s => s.Labels["cgroup"]));
        Assert.Empty(scrape.Of(Limit));
        cgroups.Limit(Tight);
        await Eventually.TrueAsync(() => Task.FromResult(cgroups.Read("cpu.stat", "nr_throttled") > 0), "it is throttled");
        scrape = Scrape(live);
        Assert.Equal([cgroups.Path, $"{cgroups.Path}/middle/leaf"], scrape.Of(Cpu).Select(s => s.Labels["cgroup"]));
        Sample limit = Assert.Single(scrape.Of(Limit));
        Assert.Equal((cgroups.Path, Tight), (limit.Labels["cgroup"], limit.Number));
        Assert.True(scrape.Value(ThrottledPeriods, ("cgroup", cgroups.Path)) > 0);
    }

    [SlowFact]
    public async Task A_process_that_moves_and_a_cgroup_that_is_made_again()
    {
        using QuotaCgroups cgroups = QuotaCgroups.CreateVersion1();
        cgroups.Make("a");
        cgroups.Make("b");
        int pid = cgroups.Start("a");
        using LiveCollector live = Watch(cgroups, pid);
        await Task.Delay(300, TestContext.Current.CancellationToken);
        double before = Scrape(live).Value(Cpu, ("cgroup", cgroups.Path + "/a"));
        // Out and in again between two collections, into a new cgroup of the same name.
        cgroups.Move(pid, "b");
        long usedByOld = cgroups.Read("cpuacct.usage", child: "a");
        cgroups.Remove("a");
        cgroups.Make("a");
        cgroups.Move(pid, "a");
        await Task.Delay(200, TestContext.Current.CancellationToken);
        ParsedScrape scrape = Scrape(live);
        double after = scrape.Value(Cpu, ("cgroup", cgroups.Path + "/a"));
        double usedByNew = cgroups.Read("cpuacct.usage", child: "a") / 1e9;
        Assert.True(usedByNew < before, $"the new cgroup has used {usedByNew} s, the old one had {before} s: the test shows nothing");
        Assert.InRange(after, before + 0.01, (usedByOld / 1e9) + usedByNew);
        cgroups.Move(pid, "b");
        scrape = Scrape(live);
        Assert.Equal(cgroups.Path + "/b", Assert.Single(scrape.Of(Info)).Labels["cgroup"]);
        Assert.DoesNotContain(scrape.Of(Cpu), s => s.Labels["cgroup"] == cgroups.Path + "/a");
    }

    [SlowFact]
    public async Task Version_2_agrees_with_the_kernel()
    {
        using QuotaCgroups cgroups = QuotaCgroups.CreateVersion2();
        int pid = cgroups.Start(), other = cgroups.Start(), third = cgroups.Start();
        using LiveCollector live = Watch(cgroups, pid, other, third);
        await Task.Delay(700, TestContext.Current.CancellationToken);
        long before = cgroups.Read("cpu.stat", "usage_usec") * 1000;
        ParsedScrape scrape = Scrape(live);
        AssertBetween(before, Single(scrape, Cpu, cgroups).Nanoseconds, cgroups.Read("cpu.stat", "usage_usec") * 1000);
        Assert.Equal(3, scrape.Of(Info).Count());
        if (File.Exists(cgroups.Directories()[0] + "/cpu.pressure"))
            Assert.True(Single(scrape, Pressure, cgroups).Number > 0 || Environment.ProcessorCount > 2, "three busy processes have no pressure");
    }

    [SlowFact]
    public async Task The_verdicts_window_sees_the_limit_above_a_thread()
    {
        using QuotaCgroups cgroups = QuotaCgroups.CreateVersion1();
        cgroups.Make("leaf");
        cgroups.Limit(Tight);
        int pid = cgroups.Start("leaf");
        using CgroupTable table = new(CgroupfsRoot.Open(cgroups.Root, out _)!);
        CgroupNode? node = table.Resolve(await File.ReadAllBytesAsync($"/proc/{pid}/task/{pid}/cgroup", TestContext.Current.CancellationToken), Clocks.MonotonicNanoseconds());
        Assert.Equal(cgroups.Path + "/leaf", node?.Path);
        CgroupWindow window = new(table, 1);
        window.Begin(Clocks.MonotonicNanoseconds());
        Assert.Null(window.Of(node!));
        await Task.Delay(1000, TestContext.Current.CancellationToken);
        window.Begin(Clocks.MonotonicNanoseconds());
        CgroupThrottling throttling = window.Of(node!)!.Value;
        Assert.Equal((cgroups.Path, 20_000_000), (throttling.Cgroup.Path, throttling.Cgroup.Reading.Limit));
        Assert.InRange(throttling.ThrottledShare, 0.5, 1);
        Assert.InRange(throttling.Rise[CgroupCounter.Throttled], 400 * Rig.Ms, 5000 * Rig.Ms);
        // It is read once in a look.
        Assert.Equal(throttling.Rise[CgroupCounter.Throttled], window.Of(node!)!.Value.Rise[CgroupCounter.Throttled]);

        cgroups.Limit(50);
        await Task.Delay(200, TestContext.Current.CancellationToken);
        window.Begin(Clocks.MonotonicNanoseconds());
        window.Of(node!);
        await Task.Delay(500, TestContext.Current.CancellationToken);
        window.Begin(Clocks.MonotonicNanoseconds());
        Assert.Equal(0, window.Of(node!)!.Value.ThrottledShare);
    }

    /// <summary>
    /// The exporter is in a cgroup namespace of its own, as a container is, and the host's file system is mounted for it. The pod is the outermost
    /// cgroup.
    /// </summary>
    [SlowFact]
    public async Task In_a_cgroup_namespace_the_paths_are_those_of_the_host()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/unshare"), "needs unshare(1) for a cgroup namespace");
        using QuotaCgroups cgroups = QuotaCgroups.CreateVersion1();
        cgroups.Make("own");
        cgroups.Make("neighbour");
        cgroups.Limit(0.4, "neighbour");
        int neighbour = cgroups.Start("neighbour");
        string own = Directory.CreateTempSubdirectory("te-own-").FullName;
        using TempConfig config = new($"[[filter]]\nname = 'f'\npid = [{neighbour}, {Environment.ProcessId}]\n[collector]\ncgroupfs = '{cgroups.Root}'\n");
        const string Script = """
            for cgroup in "$1" "$2"; do echo $$ > "$cgroup/cgroup.procs"; done
            exec unshare --cgroup --mount sh -euc 'mount -t tmpfs own "$1"; mkdir "$1/cpu" "$1/cpuacct"
                mount -t cgroup -o cpu own "$1/cpu"; mount -t cgroup -o cpuacct own "$1/cpuacct"; exec "$2" once --config "$3"' sh "$3" "$4" "$5"
            """;
        string[] directories = cgroups.Directories("own");
        using Process inside = Process.Start(new ProcessStartInfo("/bin/sh", ["-euc", Script, "sh", directories[0], directories[1], own, Daemon.Program, config.Path])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        string text = await inside.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        string error = await inside.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await inside.WaitForExitAsync(TestContext.Current.CancellationToken);
        Directory.Delete(own, recursive: true);
        Assert.True(inside.ExitCode == 0, error);
        ParsedScrape scrape = ParsedScrape.Parse(text);
        Assert.Equal(cgroups.Path + "/neighbour", scrape.Of(Info).Single(s => s.Labels["pid"] == $"{neighbour}").Labels["cgroup"]);
        Assert.Equal(0.4, scrape.Value(Limit, ("cgroup", cgroups.Path + "/neighbour")));
        Assert.True(scrape.Value(Cpu, ("cgroup", cgroups.Path + "/neighbour")) > 0);
        // This process is in the host's root cgroup, which is two levels above the namespace.
        Assert.Equal("/", scrape.Of(Info).Single(s => s.Labels["pid"] == $"{Environment.ProcessId}").Labels["cgroup"]);
    }

    private static LiveCollector Watch(QuotaCgroups cgroups, params int[] pids)
    {
        CgroupfsRoot? root = CgroupfsRoot.Open(cgroups.Root, out string notice);
        Assert.True(root is not null, notice);
        return new LiveCollector(LiveCollector.Config(LiveCollector.Pid(pids)), cgroups: root);
    }

    private static ParsedScrape Scrape(LiveCollector live)
    {
        live.Collector.Collect(live.Snapshot);
        return ParsedScrape.Parse(live.Render());
    }

    private static Sample Single(ParsedScrape scrape, string name, QuotaCgroups cgroups) => scrape.Of(name).Single(s => s.Labels["cgroup"] == cgroups.Path);

    private static void AssertBetween(long before, long value, long after) => Assert.True(before <= value && value <= after, $"{value} is not between {before} and {after}");
}
