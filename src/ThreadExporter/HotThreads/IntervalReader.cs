using ThreadExporter.Collection;
using ThreadExporter.Linux;
using ThreadExporter.Model;
using ThreadExporter.Procfs;
using ThreadExporter.Settings;

namespace ThreadExporter.HotThreads;

/// <summary>
/// Reads for the recorder which threads ran or waited for a CPU in an interval. It has readings of its own, so that it neither needs the hot page
/// to be in use nor changes what that shows. The caller holds the collection gate.
/// </summary>
/// <param name="root">The /proc to read.</param>
/// <param name="collector">Its processes.</param>
/// <param name="time">The clock by which the intervals are found later.</param>
internal sealed class IntervalReader(ProcfsRoot root, Collector collector, TimeProvider time)
{
    // A thread is kept from a hundredth of a core on.
    private const int LeastShare = 100;
    private const long Millisecond = 1_000_000;

    private readonly HotThreadReader _reader = new(root);
    private readonly Dictionary<WatchedProcess, HotProcessState> _processes = [];
    private readonly List<HotProcessState> _watched = [];
    private VerdictReader? _verdicts;
    // Sums over the window of the hot page are those of one interval here: the numbers are that far apart.
    private long _snapshot;
    private long _takenAt;
    private long _cost;

    /// <summary>Ends an interval when it is due.</summary>
    /// <param name="config">The active configuration.</param>
    /// <param name="isOn">False: nothing is recorded, and all memory is released.</param>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    /// <param name="due">When the next call is due, CLOCK_MONOTONIC ns.</param>
    /// <returns>The interval; null: none has ended.</returns>
    public HotInterval? Read(ConfigSnapshot config, bool isOn, long now, out long due)
    {
        due = long.MaxValue;
        if (!isOn)
        {
            Release();
            return null;
        }
        due = DueAt(config);
        // The caller's sleep has a precision of one millisecond.
        if (_snapshot > 0 && now < due - Millisecond)
            return null;

        collector.AssertExclusive();
        long start = Clocks.ThreadCpuNanoseconds();
        collector.Discover(config, now);
        long length = _snapshot == 0 ? 0 : now - _takenAt;
        _snapshot += UsageHistory.Window;
        _takenAt = now;
        (long cpu, long wait) = ReadProcesses(length);
        List<(HotProcessState Process, HotThreadState Thread)> kept = Choose(length);
        _verdicts ??= new VerdictReader(root, collector, looks: 1);
        _verdicts.Look(_watched, kept, _snapshot, now, config.Config.Collector.Neighbours);
        HotInterval? interval = length <= 0 ? null : new HotInterval(time.GetUtcNow().ToUnixTimeMilliseconds(), length, _watched.Count, _watched.Sum(static p => p.Threads), cpu, wait,
            Rows(kept, length, config.Config.Sampler.Saturation));
        _cost = Clocks.ThreadCpuNanoseconds() - start;
        due = DueAt(config);
        return interval;
    }

    // Intervals become longer rather than use more than the sampler's CPU budget. Computed each time, because a reload may change the interval.
    private long DueAt(ConfigSnapshot config) =>
        _takenAt + Math.Max(config.Config.Recorder.Interval.Ticks * TimeSpan.NanosecondsPerTick, (long)(_cost / config.Config.Sampler.CpuBudget));

    /// <returns>CPU time of the processes and waiting time of their threads, in nanoseconds.</returns>
    private (long Cpu, long Wait) ReadProcesses(long length)
    {
        (long cpu, long wait) = (0, 0);
        _watched.Clear();
        _reader.Candidates.Clear();
        foreach (WatchedProcess process in collector.Processes)
        {
            if (!_processes.TryGetValue(process, out HotProcessState? state))
                _processes.Add(process, state = new HotProcessState(process));
            _watched.Add(state);
            _reader.Read(state, _snapshot, length);
            if (state.IdleInTick == _snapshot)
                continue;
            state.RecordExits(_snapshot, _reader.ReadWaited(state), exits: null);
            cpu += state.RecentCpu(_snapshot).Cpu;
        }
        foreach ((_, HotThreadState thread) in _reader.Candidates)
            wait += thread.Last.Wait;
        if (_processes.Count > _watched.Count)
        {
            HashSet<HotProcessState> watched = [.. _watched];
            foreach ((WatchedProcess process, HotProcessState state) in _processes)
            {
                if (!watched.Contains(state))
                    _processes.Remove(process);
            }
        }
        return (cpu, wait);
    }

    /// <summary>The threads that used or waited for most, <see cref="HotThreadTracker.MaxThreads"/> at most. Their <c>stat</c> has been read.</summary>
    private List<(HotProcessState Process, HotThreadState Thread)> Choose(long length)
    {
        List<(HotProcessState Process, HotThreadState Thread)> kept = _reader.Candidates.FindAll(c => length > 0 && Load(c.Thread) * LeastShare >= length);
        if (kept.Count > HotThreadTracker.MaxThreads)
        {
            kept.Sort(static (a, b) => Load(b.Thread).CompareTo(Load(a.Thread)));
            kept.RemoveRange(HotThreadTracker.MaxThreads, kept.Count - HotThreadTracker.MaxThreads);
        }
        // A thread that has exited meanwhile has no name.
        kept.RemoveAll(c => !_reader.ReadStat(c.Process.Watched, c.Thread));
        kept.Sort(static (a, b) => a.Thread.Last.Cpu == b.Thread.Last.Cpu ? a.Thread.Tid.CompareTo(b.Thread.Tid) : b.Thread.Last.Cpu.CompareTo(a.Thread.Last.Cpu));
        return kept;

        static long Load(HotThreadState thread) => thread.Last.Cpu + thread.Last.Wait;
    }

    private HotThreadRow[] Rows(List<(HotProcessState Process, HotThreadState Thread)> kept, long length, double saturation)
    {
        Dictionary<HotProcessState, HotProcessRow> processes = [];
        HotThreadRow[] rows = new HotThreadRow[kept.Count];
        for (int i = 0; i < rows.Length; i++)
        {
            (HotProcessState process, HotThreadState thread) = kept[i];
            if (!processes.TryGetValue(process, out HotProcessRow? row))
                processes.Add(process, row = Row(process));
            (Verdict verdict, string reason) = _verdicts!.Decide(process, thread, thread.Last, _snapshot, length, saturation);
            rows[i] = new HotThreadRow(row, thread.Tid, thread.Name, (char)thread.State, thread.Last.Cpu, root.HasSchedInfo ? thread.Last.Wait : null,
                User: 0, Kernel: 0, Saturated: null, History: [], verdict, reason);
        }
        return rows;
    }

    private HotProcessRow Row(HotProcessState process)
    {
        process.Rename();
        (long cpu, long threads) = process.RecentCpu(_snapshot);
        return new HotProcessRow(process.Pid, process.Name, process.Daemon, process.Filter, process.Threads, cpu, threads, process.RecentExits(_snapshot).Waited, Exited: [],
            root.SharesPidNamespace, process.Watched.IsKernelThread);
    }

    private void Release()
    {
        if (_snapshot == 0)
            return;
        _processes.Clear();
        _processes.TrimExcess();
        _watched.Clear();
        _reader.Candidates.Clear();
        _reader.Candidates.TrimExcess();
        _verdicts = null;
        (_snapshot, _takenAt, _cost) = (0, 0, 0);
    }
}
