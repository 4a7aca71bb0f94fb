using ThreadExporter.HotThreads;
using ThreadExporter.Procfs;
using ThreadExporter.Tests.Support;
using static ThreadExporter.Tests.Support.Rig;

namespace ThreadExporter.Tests.Recording;

/// <summary><see cref="IntervalReader"/>: which threads are kept, and with which values.</summary>
public sealed class IntervalReaderTests : IDisposable
{
    private readonly FixtureProc _proc = Proc(300);
    private readonly ProcfsRoot _root;
    private readonly Rig _rig;
    private readonly IntervalReader _reader;

    public IntervalReaderTests()
    {
        _rig = new Rig(_proc);
        _root = ProcfsRoot.Open(_proc.Root);
        _reader = new IntervalReader(_root, _rig.Live.Collector, TimeProvider.System);
    }

    public void Dispose()
    {
        _rig.Dispose();
        _root.Dispose();
        _proc.Dispose();
    }

    [Fact]
    public void Threads_from_one_percent_on_are_kept_ordered_by_cpu_time()
    {
        Assert.Null(Read());
        _rig.Run(100, 49);
        _rig.Run(101, 50);
        _rig.Run(102, 10, waited: 40);
        _rig.Run(103, 4900);
        long before = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        HotInterval interval = Read()!;
        Assert.Equal([103, 101, 102], interval.Rows.Select(r => r.Tid));
        Assert.Equal([4900 * Ms, 50 * Ms, 10 * Ms], interval.Rows.Select(r => r.Cpu));
        Assert.Equal([0, 0, 40 * Ms], interval.Rows.Select(r => r.Wait!.Value));
        Assert.Equal([Verdict.Busy, Verdict.Running, Verdict.Running], interval.Rows.Select(r => r.Verdict));
        Assert.Equal((1, 300, 5 * Second, 5009 * Ms, 40 * Ms, 980), (interval.Processes, interval.Threads, interval.Length, interval.Cpu, interval.Wait, interval.Peak));
        Assert.InRange(interval.To, before, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        Assert.Equal(interval.To - 5000, interval.From);
        HotProcessRow process = interval.Rows[0].Process;
        Assert.Equal(("daemon", 100, "by pid", 5009 * Ms, 5009 * Ms), (process.Name, process.Pid, process.Filter, process.Cpu, process.ThreadsCpu));
        Assert.Equal("worker", interval.Rows[0].Name);
        Assert.Equal('S', interval.Rows[0].State);
    }

    [Fact]
    public void An_interval_covers_itself_alone()
    {
        Read();
        _rig.Run(101, 4000);
        Assert.Equal(4000 * Ms, Read()!.Rows[0].Cpu);
        Assert.Empty(Read()!.Rows);
        _rig.Run(101, 1000);
        HotInterval last = Read()!;
        Assert.Equal((1000 * Ms, 1000 * Ms), (last.Rows[0].Cpu, last.Rows[0].Process.Cpu));
    }

    [Fact]
    public void A_thread_that_waited_for_a_tenth_is_starved_with_a_reason()
    {
        Read();
        _rig.Run(101, 100, waited: 600);
        HotThreadRow row = Assert.Single(Read()!.Rows);
        Assert.Equal(Verdict.Starved, row.Verdict);
        Assert.NotEmpty(row.Reason);
    }

    [Fact]
    public void Beyond_200_those_that_used_and_waited_for_most_are_kept()
    {
        Read();
        for (int tid = 100; tid < 400; tid++)
            _rig.Run(tid, tid, waited: 400 - tid >= 10 ? 0 : 5000);
        HotInterval interval = Read()!;
        Assert.Equal(HotThreadTracker.MaxThreads, interval.Rows.Length);
        Assert.Equal(Enumerable.Range(200, 200).Reverse(), interval.Rows.Select(r => r.Tid));
    }

    [Fact]
    public void It_reads_when_an_interval_is_due_and_nothing_while_it_is_off()
    {
        Assert.Null(_reader.Read(_rig.Live.Snapshot, isOn: false, _rig.Now, out long due));
        Assert.Equal(long.MaxValue, due);
        Read();
        _rig.Run(101, 1000);
        _rig.Advance(4 * Second);
        Assert.Null(_reader.Read(_rig.Live.Snapshot, isOn: true, _rig.Now, out due));
        Assert.Equal(_rig.Now + Second, due);
        _rig.Advance(Second);
        Assert.NotNull(_reader.Read(_rig.Live.Snapshot, isOn: true, _rig.Now, out _));
        Assert.Null(_reader.Read(_rig.Live.Snapshot, isOn: false, _rig.Now, out _));
        // What was used while it was off belongs to no interval.
        _rig.Run(101, 3000);
        Assert.Null(Read());
        Assert.Empty(Read()!.Rows);
    }

    [Fact]
    public void Intervals_become_longer_when_they_exceed_the_cpu_budget_of_the_sampler()
    {
        _rig.Live.Use(Config() with { Sampler = new() { CpuBudget = 0.000_001 } });
        Assert.Null(_reader.Read(_rig.Live.Snapshot, isOn: true, _rig.Now, out long due));
        Assert.True(due > _rig.Now + 10 * Second);
    }

    [Fact]
    public void The_state_of_collections_and_of_the_hot_page_does_not_change()
    {
        string before = _rig.Live.Render();
        Read();
        _rig.Run(101, 900);
        Read();
        Assert.Equal(before, _rig.Live.Render());
        Assert.Same(HotSnapshot.Empty, _rig.Hot.Current);
    }

    private HotInterval? Read()
    {
        _rig.Advance(5 * Second);
        return _reader.Read(_rig.Live.Snapshot, isOn: true, _rig.Now, out _);
    }
}
