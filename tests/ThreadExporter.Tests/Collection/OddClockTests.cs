using ThreadExporter.Configuration;
using ThreadExporter.HotThreads;
using ThreadExporter.Model;
using ThreadExporter.Series;
using ThreadExporter.Tests.Support;
using static ThreadExporter.Tests.Support.Rig;

namespace ThreadExporter.Tests.Collection;

/// <summary>
/// Odd numbers in <see cref="CpuLedger"/> and <see cref="HotThreadReader"/>: a process clock that
/// goes backwards, a wait that decreases.
/// </summary>
public class OddClockTests
{
    private const string Absurd = "18446744073709551000";

    private readonly WatchedProcess _process = new(10, 100, -1);
    private readonly WatchedThread _thread = new(10);
    private readonly ThreadSeries _series = new("t"u8.ToArray(), 10);
    private long _pass;

    [Fact]
    public void A_process_clock_that_goes_backwards_changes_no_thread_and_its_counter_does_not_decrease()
    {
        Close(clock: 100, cpu: 90);
        Close(clock: 110, cpu: 100);
        Close(clock: 50, cpu: 110);
        Assert.Equal((110, 120, 10), (Seconds(_series.Shown.Cpu), Seconds(_process.Balance.Cpu), Seconds(_process.Balance.Transient)));
        Close(clock: 60, cpu: 120);
        Close(clock: 140, cpu: 130);
        Assert.Equal((130, 140, 10), (Seconds(_series.Shown.Cpu), Seconds(_process.Balance.Cpu), Seconds(_process.Balance.Transient)));
    }

    [Fact]
    public void After_a_failed_read_the_thread_is_still_the_same()
    {
        Close(clock: 100, cpu: 90);
        Close(clock: 110, cpu: 100);
        _thread.Reading.UnreadInPass = _pass + 1;
        Close(clock: 120, cpu: 100);
        // The CPU time of two intervals, more than the process used in one.
        Close(clock: 130, cpu: 120);
        Close(clock: 140, cpu: 130);
        Assert.Equal((110, 140, 30), (Seconds(_series.Shown.Cpu), Seconds(_process.Balance.Cpu), Seconds(_process.Balance.Transient)));
    }

    [Fact]
    public void After_an_unknown_run_time_the_thread_is_still_the_same()
    {
        Close(clock: 100, cpu: 90);
        Close(clock: 110, cpu: 100);
        _thread.Reading.IsCpuUnknown = true;
        Close(clock: 120, cpu: 100);
        Close(clock: 130, cpu: 100);
        _thread.Reading.IsCpuUnknown = false;
        Close(clock: 140, cpu: 130);
        Close(clock: 150, cpu: 140);
        Assert.Equal((110, 150, 40), (Seconds(_series.Shown.Cpu), Seconds(_process.Balance.Cpu), Seconds(_process.Balance.Transient)));
    }

    [Theory]
    [InlineData("150", "140")]
    [InlineData(Absurd, "150")]
    public void On_the_hot_page_a_thread_keeps_its_row_whatever_its_wait_does(string second, string third)
    {
        using FixtureProc proc = Rig.Proc(2);
        using Rig rig = new(proc);
        rig.KeepHotAlive();
        rig.Snapshot();
        string[] waits = ["200", second, third, "260"];
        for (int i = 0; i < waits.Length; i++)
        {
            Write(proc, $"{(i + 1) * 500 * Ms} {waits[i]} {i}");
            Assert.Equal((i + 1) * 500 * Ms, Assert.Single(rig.Snapshot().Hottest).Cpu);
        }
        Assert.Equal(260, rig.Hot.Current.Hottest.Single().Wait);
        Assert.Equal(4, rig.Hot.Current.Hottest.Single().History.Length);
    }

    [Fact]
    public void On_the_hot_page_an_impossible_run_time_affects_that_snapshot_and_the_next()
    {
        using FixtureProc proc = Rig.Proc(2);
        using Rig rig = new(proc);
        rig.KeepHotAlive();
        rig.Snapshot();
        Write(proc, $"{500 * Ms} 1 1");
        rig.Snapshot();
        Write(proc, $"{Absurd} 1 1");
        Assert.Equal(500 * Ms, Assert.Single(rig.Snapshot().Hottest).Cpu);
        Write(proc, $"{1500 * Ms} 1 1");
        rig.Snapshot();
        Write(proc, $"{1700 * Ms} 1 1");
        Assert.Equal(700 * Ms, Assert.Single(rig.Snapshot().Hottest).Cpu);
    }

    [Fact]
    public void User_and_kernel_times_that_decrease_or_are_unknown_add_nothing_and_count_nothing_twice()
    {
        UsageHistory history = new(1, 0);
        (long User, long Kernel)[] read = [(50, 20), (60, -1), (-1, 30), (10, 5), (70, 40)];
        for (int i = 0; i < read.Length; i++)
        {
            history.Record(i + 1, 1, 0, Second, 0);
            history.RecordModes(read[i].User, read[i].Kernel);
        }
        Assert.Equal((20, 20), (history.User, history.Kernel));
    }

    private static void Write(FixtureProc proc, string text) => proc.Write("100/task/101/schedstat", System.Text.Encoding.ASCII.GetBytes(text + "\n"));

    private static long Seconds(long nanoseconds) => nanoseconds / Second;

    /// <summary>A collection that finds the process clock and the only thread at this many seconds.</summary>
    private void Close(long clock, long cpu)
    {
        _pass++;
        _process.Reading.ClockBeforeThreads = clock * Second;
        (_process.Reading.Clock, _thread.Reading.Counters.Cpu) = (clock * Second, cpu * Second);
        _process.Reading.CountersVersion++;
        if (_pass == 1)
        {
            _process.Threads.Add(_thread);
            _thread.Assignment.Series = _series;
            _series.Shown = _thread.Counters.Known();
        }
        _series.Show(_pass);
        CpuLedger.Settle(_process, new CollectionPass(_pass, 0, 0, 0, 0, 0, 0, ReadAll: false, ExtendedKinds.None), new ExitLedger());
    }
}
