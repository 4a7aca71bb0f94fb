using System.Text;
using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Model;
using ThreadExporter.Series;
using ThreadExporter.Tests.Support;
using static ThreadExporter.Tests.Series.SimulatedProcesses;

namespace ThreadExporter.Tests.Series;

/// <summary>
/// <see cref="ThreadExporter.Series.GroupLedger"/>: a group has all CPU time of its processes, those that no collection has seen included,
/// and each tick once.
/// </summary>
public sealed class GroupLedgerTests : IDisposable
{
    private const string Cpu = "perfscale_process_cpu_seconds_total", User = "perfscale_process_cpu_user_seconds_total",
        Kernel = "perfscale_process_cpu_kernel_seconds_total", Thread = "perfscale_thread_cpu_seconds_total",
        Folded = "perfscale_process_folded_threads_cpu_seconds_total", Transient = "perfscale_process_transient_threads_cpu_seconds_total";

    private readonly FixtureProc _proc = new();
    private readonly SimulatedProcesses _processes;
    private readonly Ledger _ledger = new();
    private LiveCollector? _live;

    public GroupLedgerTests() => _processes = new SimulatedProcesses(_proc);

    public void Dispose()
    {
        _live?.Dispose();
        _proc.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Every_tick_of_a_forking_daemon_is_counted_once(int seed)
    {
        Random random = new(seed);
        Simulated root = _processes.Start("d", null);
        _processes.Use(root, 5, 2);
        Collect();
        Assert.Equal(0, Ticks(Cpu));
        long before = _processes.Used;
        for (int step = 0; step < 400; step++)
        {
            for (int i = random.Next(12); i > 0; i--)
                Act(random, root);
            if (random.Next(20) == 0)
                Use(random.Next(2) == 0 ? ThreadDetail.None : ThreadDetail.Name, random.Next(2) == 0 ? 1 : 200_000);
            ParsedScrape scrape = Collect();
            Assert.True(_ledger.Error is null, $"step {step} of seed {seed}: {_ledger.Error}");
            // Zombies of exited parents are waited for by pid 1, whose time is not in the group.
            Assert.True(_processes.Used - before == Ticks(Cpu), $"step {step} of seed {seed}: {_processes.Used - before} ticks were used, {Ticks(Cpu)} are shown");
            Assert.Equal(Ticks(Cpu), Ticks(User) + Ticks(Kernel));
            Assert.Equal(_processes.Live.Count, scrape.Value("perfscale_group_processes"));
            Assert.Equal(_processes.Live.Count, scrape.Value("perfscale_process_threads"));
        }
        Assert.Equal(0, _ledger.ErrorOfTheWholeRun);
        Assert.True(_ledger.Sum(Thread) > 0);
        Assert.True(_ledger.Sum(Transient) > 0);
    }

    private void Act(Random random, Simulated root)
    {
        Simulated any = _processes.Live[random.Next(_processes.Live.Count)];
        switch (random.Next(6))
        {
            case 0 when _processes.Live.Count < 30:
                _processes.Start("d", any.IsZombie ? root : any);
                break;
            case 1 when _processes.Live.Count < 30:
                // Nobody sees it alive.
                Simulated unseen = _processes.Start("d", root);
                _processes.Use(unseen, random.Next(3), 1);
                _processes.Exit(unseen);
                _processes.WaitFor(unseen);
                break;
            case 2 when any != root && !any.IsZombie && _processes.Live.All(p => p.Ppid != any.Pid):
                _processes.Exit(any);
                if (random.Next(2) == 0)
                    _processes.WaitFor(any);
                break;
            case 3:
                _processes.WaitFor(any);
                break;
            default:
                if (!any.IsZombie)
                    _processes.Use(any, random.Next(4), random.Next(2));
                break;
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Renames_reloads_and_lost_parents_count_nothing_twice(int seed)
    {
        Random random = new(seed);
        Simulated root = _processes.Start("d", null);
        Collect();
        long before = _processes.Used;
        for (int step = 0; step < 400; step++)
        {
            for (int i = random.Next(8); i > 0; i--)
                Act(random, root);
            Simulated any = _processes.Live[random.Next(_processes.Live.Count)];
            switch (random.Next(6))
            {
                case 0 when !any.IsZombie:
                    // Another group of the same filter, or not watched.
                    _processes.Rename(any, random.Next(3) switch { 0 => "d", 1 => "d2", _ => "other" });
                    break;
                case 1:
                    Use(ThreadDetail.Name, 200_000, group: random.Next(3) > 0);
                    break;
                case 2 when any != root && !any.IsZombie:
                    _processes.Exit(any);
                    break;
            }
            Collect();
            Assert.True(_ledger.Error is null, $"step {step} of seed {seed}: {_ledger.Error}");
        }
        // Not of single processes: one that leaves the filter and comes back starts its series again.
        long inGroups = SumOfGroups(Cpu);
        Assert.Equal(inGroups, SumOfGroups(Thread) + SumOfGroups(Folded) + SumOfGroups(Transient));
        Assert.InRange(inGroups / Clocks.NanosecondsPerTick, 1, _processes.Used - before);
    }

    [Fact]
    public void A_parent_that_waits_for_nobody_hides_only_what_it_owes()
    {
        Simulated root = _processes.Start("d", null, ignoresChildren: true);
        Collect();
        Simulated child = _processes.Start("d", root);
        _processes.Use(child, 100, 0);
        Collect();
        _processes.Exit(child);
        _processes.Use(root, 7, 0);
        Collect();
        Assert.Equal(107, Ticks(Cpu));
        _processes.Use(root, 1, 0);
        Collect();
        Collect();
        Assert.Equal(108, Ticks(Cpu));
    }

    [Fact]
    public void A_daemon_that_starts_again_continues_the_counter_and_brings_its_time()
    {
        Simulated first = _processes.Start("d", null);
        Collect();
        _processes.Use(first, 10, 0);
        Collect();
        _processes.Exit(first);
        ParsedScrape empty = Collect();
        Assert.Equal(10, Ticks(Cpu));
        Assert.Equal(0, empty.Value("perfscale_group_processes"));
        Assert.Equal(0, empty.Value("perfscale_process_threads"));
        Simulated second = _processes.Start("d", null);
        _processes.Use(second, 4, 0);
        Collect();
        Assert.Equal(14, Ticks(Cpu));
        Assert.Null(_ledger.Error);
    }

    [Fact]
    public void What_a_process_used_before_it_came_into_the_group_counts_nowhere()
    {
        _processes.Start("d", null);
        Simulated other = _processes.Start("other", null);
        _processes.Use(other, 50, 0);
        Collect();
        _processes.Rename(other, "d");
        _processes.Use(other, 5, 0);
        Collect();
        Assert.Equal(0, Ticks(Cpu));
        _processes.Use(other, 3, 0);
        Collect();
        Assert.Equal(3, Ticks(Cpu));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void What_members_and_others_wait_for_is_counted_once(int seed)
    {
        Random random = new(seed);
        Simulated root = _processes.Start("d", null);
        Collect();
        for (int step = 0; step < 300; step++)
        {
            for (int i = random.Next(10); i > 0; i--)
            {
                Simulated any = _processes.Live[random.Next(_processes.Live.Count)];
                switch (random.Next(4))
                {
                    // As make starts a shell that starts make.
                    case 0 when _processes.Live.Count < 30 && !any.IsZombie:
                        _processes.Start(random.Next(2) == 0 ? "d" : "shell", any);
                        break;
                    // A program that leaves its children to others makes their time nobody's.
                    case 1 when any != root && !any.IsZombie && _processes.Live.All(p => p.Ppid != any.Pid):
                        _processes.Exit(any);
                        if (random.Next(2) == 0)
                            _processes.WaitFor(any);
                        break;
                    case 2:
                        _processes.WaitFor(any);
                        break;
                    default:
                        if (!any.IsZombie)
                            _processes.Use(any, random.Next(4), random.Next(2));
                        break;
                }
            }
            Collect();
            Assert.True(_ledger.Error is null, $"step {step} of seed {seed}: {_ledger.Error}");
            Assert.True(Ticks(Cpu) <= _processes.Used, $"step {step} of seed {seed}: {_processes.Used} ticks were used, {Ticks(Cpu)} are shown");
        }
        while (_processes.Live.FirstOrDefault(p => p != root && _processes.Live.All(c => c.Ppid != p.Pid)) is { } leaf)
        {
            if (!leaf.IsZombie)
                _processes.Exit(leaf);
            _processes.WaitFor(leaf);
            if (random.Next(3) == 0)
                Collect();
        }
        Collect();
        Assert.Equal(_processes.Used, Ticks(Cpu));
        Assert.Equal(Ticks(Cpu), Ticks(User) + Ticks(Kernel));
    }

    [Fact]
    public void What_an_exited_parent_still_owes_its_own_parent_owes()
    {
        Simulated root = _processes.Start("d", null);
        Simulated parent = _processes.Start("d", root);
        Collect();
        Simulated child = _processes.Start("d", parent);
        _processes.Use(child, 100, 0);
        Collect();
        // The collection reads the waited-for time before the parent waits, and the child after it.
        _processes.Exit(child);
        _processes.WaitForUnseen(child);
        Collect();
        _processes.Exit(parent);
        _processes.WaitFor(parent);
        Collect();
        Assert.Equal(100, Ticks(Cpu));
    }

    [Fact]
    public void A_thread_without_a_name_gets_one_when_names_become_free()
    {
        Simulated first = _processes.Start("d", null);
        using Rig rig = new(Config(ThreadDetail.Name, 200_000) with { Collector = new CollectorConfig { RescanInterval = TimeSpan.Zero, MaxDescriptors = 1 } }, _proc);
        for (int i = 1; i <= 255; i++)
            _proc.Thread(first.Pid, first.Pid + i, Encoding.UTF8.GetBytes($"name{i}"), start: first.Start);
        SetThreads(first, 256);
        rig.Collect();
        _proc.Thread(first.Pid, first.Pid + 900, "late"u8, start: first.Start);
        SetThreads(first, 257);
        rig.Collect();
        Assert.Null(Late());
        for (int i = 1; i <= 255; i++)
            _proc.EndThread(first.Pid, first.Pid + i);
        SetThreads(first, 2);
        _proc.SchedStat(first.Pid, first.Pid, 5, 0, 1);
        rig.Collect();
        rig.Collect();
        Assert.Null(Late());
        rig.Advance(601 * Rig.Second);
        _processes.Use(first, 1, 0);
        SetThreads(first, 2);
        rig.Collect();
        // The names are dropped when the threads of the group have changed.
        _proc.Thread(first.Pid, first.Pid + 901, "later"u8, start: first.Start);
        SetThreads(first, 3);
        rig.Collect();
        rig.Collect();
        Assert.NotNull(Late());

        ThreadSeries? Late() => rig.Live.Collector.Processes.Single().Threads.Single(t => t.Tid == first.Pid + 900).Series;
        void SetThreads(Simulated process, int number) => _proc.ProcessStat(process.Pid, process.Comm, number, (ulong)process.User, (ulong)process.Kernel, process.Start);
    }

    [Fact]
    public void A_collection_that_is_made_again_adds_no_member_twice()
    {
        _processes.Start("d", null);
        Collect();
        WatchedProcess process = _live!.Collector.Processes.Single();
        process.Membership = null;
        ProcessGroups groups = new();
        CollectionPass pass = new(7, Rig.Second, 0, 0, Rig.Second, 0, 0, false, ExtendedKinds.None);
        for (int i = 0; i < 2; i++)
            groups.Update([process], _live.Snapshot.Matcher.Filters, _ => true, pass);
        Assert.Single(groups.Shown.Single().Processes);
    }

    [Fact]
    public void A_new_member_whose_stat_could_not_be_read_makes_no_jump()
    {
        Simulated simulated = _processes.Start("d", null);
        Collect();
        WatchedProcess process = _live!.Collector.Processes.Single();
        ProcessGroup group = (ProcessGroup)process.Membership!.Group;
        process.Reading.WaitedInPass = 0;
        GroupMembership membership = new(group, 7, bringsAll: false);
        GroupMember member = new(process, membership);
        group.Members = [member];
        ExitLedger exits = new();
        GroupLedger.Settle(group, Pass(7), exits, _ => null);
        (process.Reading.Waited, process.Reading.WaitedInPass) = (new CpuTimes(500 * Rig.Ms, 0), 8);
        GroupLedger.Settle(group, Pass(8), exits, _ => null);
        Assert.Equal(0, group.Balance.Cpu);
        (process.Reading.Waited, process.Reading.WaitedInPass) = (new CpuTimes(520 * Rig.Ms, 0), 9);
        GroupLedger.Settle(group, Pass(9), exits, _ => null);
        Assert.Equal(20 * Rig.Ms, group.Balance.Cpu);
        Assert.Equal(simulated.Pid, process.Pid);

        static CollectionPass Pass(long number) => new(number, number * Rig.Second, 0, 0, Rig.Second, 0, 0, false, ExtendedKinds.None);
    }

    [Fact]
    public void Two_filters_never_share_a_label_set()
    {
        Simulated first = _processes.Start("d", null);
        Simulated second = _processes.Start("d", null);
        FilterConfig[] filters = [Filter(new() { Name = "one", Pid = [first.Pid] }), Filter(new() { Name = "two", Pid = [second.Pid] })];
        _live = new LiveCollector(LiveCollector.Config(filters), _proc.Root);
        // A duplicate series is an error of ParsedScrape.
        Assert.Equal(2, Collect().Of("perfscale_group_processes").Count());
    }

    [Fact]
    public void A_group_is_hidden_after_ten_minutes_without_a_process_and_remembered()
    {
        Simulated first = _processes.Start("d", null);
        using Rig rig = new(Config(ThreadDetail.Name, 200_000), _proc);
        _processes.Use(first, 10, 0);
        rig.Collect();
        _processes.Exit(first);
        rig.Collect();
        rig.Advance(599 * Rig.Second);
        rig.Collect();
        Assert.Single(rig.Live.Collector.Owners);
        rig.Advance(1 * Rig.Second);
        rig.Collect();
        Assert.Empty(rig.Live.Collector.Owners);
        _processes.Start("d", null);
        rig.Collect();
        Assert.Equal(10 * Clocks.NanosecondsPerTick, rig.Live.Collector.Owners.Single().Balance.Cpu);
    }

    private void Use(ThreadDetail detail, int maxSamples, bool group = true) => _live!.Use(Config(detail, maxSamples, group));

    private static ExporterConfig Config(ThreadDetail detail, int maxSamples, bool group = true)
    {
        ExporterConfig config = LiveCollector.Config(Filter(new() { Name = "daemon", Comm = ["d*"] }, detail) with { Group = group });
        return config with { Collector = config.Collector with { MaxSamples = maxSamples } };
    }

    private static FilterConfig Filter(FilterConfig filter, ThreadDetail detail = ThreadDetail.Name) =>
        filter with { Group = true, Threads = new ThreadsConfig { Detail = detail } };

    private ParsedScrape Collect()
    {
        _live ??= new LiveCollector(Config(ThreadDetail.Name, 200_000), _proc.Root);
        _live.Collector.Collect(_live.Snapshot);
        ParsedScrape scrape = ParsedScrape.Parse(_live.Render());
        _last = scrape;
        _ledger.Take(scrape);
        return scrape;
    }

    private ParsedScrape _last = null!;

    private long SumOfGroups(string metric) =>
        _ledger.Increases.Where(i => i.Key.StartsWith(metric + "{filter=", StringComparison.Ordinal)).Sum(i => i.Value);

    private long Ticks(string metric) => _last.Of(metric).Where(s => s.Labels.GetValueOrDefault("pname") == "d").Sum(s => s.Nanoseconds) / Clocks.NanosecondsPerTick;
}
