using ThreadExporter.Collection;
using ThreadExporter.Linux;
using ThreadExporter.Matching;
using ThreadExporter.Model;
using ThreadExporter.Procfs;
using ThreadExporter.Settings;

namespace ThreadExporter.HotThreads;

/// <summary>
/// The threads with the highest CPU use of the last minutes, for the hot page and its API. While these are in use, a snapshot is taken about
/// once a second, which does not change the state of collections. A minute after the last request all memory is released.
/// <see cref="KeepAlive"/> and <see cref="Current"/> may be called from any thread; the caller of <see cref="Tick"/> holds the collection
/// gate.
/// </summary>
/// <param name="root">The /proc to read.</param>
/// <param name="collector">Its processes are read.</param>
/// <param name="interval">Nanoseconds between two snapshots.</param>
/// <param name="firstInterval">Nanoseconds between the first two, so that there are values shortly after the first request.</param>
internal sealed class HotThreadTracker(
    ProcfsRoot root, Collector collector, long interval = HotThreadTracker.NanosecondsPerSecond, long firstInterval = HotThreadTracker.NanosecondsPerSecond / 4)
{
    /// <summary>Limits the memory of the page: 200 histories of 1.6 kB.</summary>
    public const int MaxThreads = 200;

    /// <summary>Names of exited threads in the row of a process.</summary>
    private const int MaxExitedNames = 5;

    private const long NanosecondsPerSecond = 1_000_000_000;
    private const long KeepAliveTimeout = 60 * NanosecondsPerSecond;

    private readonly HotThreadReader _reader = new(root);
    private readonly List<(HotProcessState Process, HotThreadState Thread)> _threads = [];
    private readonly Dictionary<WatchedProcess, HotProcessState> _processes = [];
    private readonly long[] _takenAt = new long[UsageHistory.Window + 1];
    private readonly List<HotProcessState> _watched = [];
    private VerdictReader? _verdicts;
    private HotSnapshot _current = HotSnapshot.Empty;
    private long _usedAt = -KeepAliveTimeout - 1;
    private int _rows;
    private long _snapshot;
    private long _due;

    /// <summary>The last snapshot. Never blocks.</summary>
    public HotSnapshot Current => Volatile.Read(ref _current);

    /// <summary>Threads that have a history now.</summary>
    public int Threads => _threads.Count;

    /// <summary>For tests: the state of a thread; null: none.</summary>
    public HotThreadState? Find(WatchedProcess process, WatchedThread thread) => _processes.GetValueOrDefault(process)?.States.GetValueOrDefault(thread);

    /// <summary>Records a request of the page or the API, which keeps the snapshots going.</summary>
    /// <param name="rows">How many threads the request shows; <c>stat</c> is read for as many.</param>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    public void KeepAlive(int rows, long now)
    {
        Volatile.Write(ref _usedAt, now);
        if (rows > Volatile.Read(ref _rows))
            Volatile.Write(ref _rows, rows);
    }

    /// <summary>Takes a snapshot when one is due and the page is in use.</summary>
    /// <param name="config">The active configuration.</param>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    /// <returns>When the next call is due, CLOCK_MONOTONIC ns.</returns>
    public long Tick(ConfigSnapshot config, long now)
    {
        if (now - Volatile.Read(ref _usedAt) > KeepAliveTimeout)
        {
            if (_snapshot > 0)
                Release();
            return now + interval;
        }
        // The caller's sleep has a precision of one millisecond.
        if (now < _due - NanosecondsPerSecond / 1000)
            return _due;

        collector.AssertExclusive();
        long start = Clocks.ThreadCpuNanoseconds();
        collector.DrainExits(config, now);
        collector.Discover(config, now);
        long elapsed = _snapshot == 0 ? 0 : now - _takenAt[_snapshot % _takenAt.Length];
        _snapshot++;
        _takenAt[_snapshot % _takenAt.Length] = now;
        _watched.Clear();
        foreach (WatchedProcess process in collector.Processes)
        {
            if (!_processes.TryGetValue(process, out HotProcessState? state))
                _processes.Add(process, state = new HotProcessState(process));
            _watched.Add(state);
            _reader.Read(state, _snapshot, elapsed);
            // A process that has not run has waited for nobody, and none of its threads has exited.
            if (state.IdleInTick != _snapshot)
                state.RecordExits(_snapshot, _reader.ReadWaited(state), collector.Exits.Recent?.GetValueOrDefault(process));
        }
        collector.Exits.Recent = [];
        if (_processes.Count > collector.Processes.Count)
            DropExited();
        _verdicts ??= new VerdictReader(root, collector);
        _verdicts.Look(_watched, _threads, _snapshot, now, config.Config.Collector.Neighbours);
        double budget = config.Config.Sampler.CpuBudget;
        _verdicts.LookAtStates(_watched, _snapshot, (long)(budget * interval) - (Clocks.ThreadCpuNanoseconds() - start), _reader.Candidates);
        Choose(elapsed);
        long cost = Clocks.ThreadCpuNanoseconds() - start;
        // Snapshots become less frequent rather than use more than the sampler's CPU budget. The second follows soon whatever it costs: there are no values before it.
        long next = _snapshot == 1 ? firstInterval : Math.Max(interval, (long)(cost / budget));
        Volatile.Write(ref _current, Publish(config, now, Math.Max(interval, next)));
        return _due = now + next;
    }

    /// <summary>Selects the threads that have a history, and records this snapshot in each history.</summary>
    private void Choose(long elapsed)
    {
        _threads.RemoveAll(k => k.Thread.History is null || !WasSeen(k.Process, k.Thread) || k.Thread.History.RanInTick <= _snapshot - UsageHistory.Points);
        _threads.AddRange(_reader.Candidates);
        _reader.Candidates.Clear();
        if (_threads.Count > MaxThreads)
        {
            _threads.Sort((a, b) => b.Thread.RecentLoad(_snapshot).CompareTo(a.Thread.RecentLoad(_snapshot)));
            foreach ((_, HotThreadState thread) in _threads[MaxThreads..])
                thread.History = null;
            _threads.RemoveRange(MaxThreads, _threads.Count - MaxThreads);
        }
        foreach ((_, HotThreadState thread) in _threads)
        {
            // Counted by the sampler, which does not sample threads that no collection has found.
            long saturated = thread.Watched?.Saturation?.Saturated ?? 0;
            thread.History ??= new UsageHistory(_snapshot, saturated);
            (long cpu, long wait) = thread.SeenInTick == _snapshot ? thread.Last : default;
            thread.History.Record(_snapshot, cpu, wait, elapsed, saturated);
        }
    }

    // The threads of a process whose clock has not moved are not read.
    private bool WasSeen(HotProcessState process, HotThreadState thread) => thread.SeenInTick == _snapshot || process.IdleInTick == _snapshot;

    private void DropExited()
    {
        HashSet<WatchedProcess> watched = [.. collector.Processes];
        foreach (WatchedProcess process in _processes.Keys)
        {
            if (!watched.Contains(process))
                _processes.Remove(process);
        }
    }

    private HotSnapshot Publish(ConfigSnapshot config, long now, long untilNext)
    {
        // A thread that has exited or was replaced since it was read gets no row.
        _threads.Sort(CompareLoad);
        int wanted = Volatile.Read(ref _rows);
        int place = 0;
        _threads.RemoveAll(k => (place++ < wanted || k.Thread.Name.Length == 0) && !StillExists(k.Process, k.Thread));

        long first = Math.Max(1, _snapshot - UsageHistory.Window);
        long window = now - _takenAt[first % _takenAt.Length];
        Dictionary<HotProcessState, HotProcessRow> processes = [];
        HotThreadRow[] rows = new HotThreadRow[_threads.Count];
        for (int i = 0; i < rows.Length; i++)
        {
            (HotProcessState process, HotThreadState thread) = _threads[i];
            if (!processes.TryGetValue(process, out HotProcessRow? row))
                processes.Add(process, row = Row(process));
            UsageHistory history = thread.History!;
            (Verdict verdict, string reason) = _verdicts!.Decide(process, thread, (history.Cpu, history.Wait), _snapshot, window, config.Config.Sampler.Saturation);
            rows[i] = new HotThreadRow(row, thread.Tid, thread.Name, (char)thread.State, history.Cpu, root.HasSchedInfo ? history.Wait : null,
                history.User, history.Kernel, config.Config.Sampler.Enabled && root.HasSchedInfo ? history.Saturated : null, history.Copy(), verdict, reason);
        }
        int threads = 0;
        foreach (HotProcessState process in _processes.Values)
            threads += process.Threads;
        return new HotSnapshot(now, window, untilNext, collector.Processes.Count, threads, rows, _verdicts!.Host);
    }

    private bool StillExists(HotProcessState process, HotThreadState thread)
    {
        if (_reader.ReadStat(process.Watched, thread))
        {
            thread.LookAt(_snapshot, thread.State, process.IdleInTick == _snapshot);
            return true;
        }
        thread.Reset();
        return false;
    }

    private HotProcessRow Row(HotProcessState process)
    {
        process.Rename();
        (long cpu, long threads) = process.RecentCpu(_snapshot);
        (long waited, ExitSums exits) = process.RecentExits(_snapshot);
        return new HotProcessRow(process.Pid, process.Name, process.Daemon, process.Filter, process.Threads, cpu, threads, waited, Exited(exits, cpu - threads + waited),
            root.SharesPidNamespace, process.Watched.IsKernelThread);
    }

    /// <summary>The names of exited threads with the most CPU time. What the records leave over is always divided, even when some were lost.</summary>
    private static HotExitRow[] Exited(ExitSums exits, long available)
    {
        Dictionary<string, (long Cpu, long Exits)> byName = [];
        foreach ((TaskComm comm, ExitSum threads, long cpu) in exits.Divide(available, estimates: true, out _))
        {
            string name = ThreadSelection.FoldDigits(ProcText.Decode(comm.ToArray()));
            (long known, long exited) = byName.GetValueOrDefault(name);
            byName[name] = (known + cpu, exited + threads.Exits);
        }
        return [.. byName.OrderByDescending(n => n.Value.Cpu).ThenBy(n => n.Key, StringComparer.Ordinal).Take(MaxExitedNames).Select(n => new HotExitRow(n.Key, n.Value.Cpu, n.Value.Exits))];
    }

    private static int CompareLoad((HotProcessState, HotThreadState Thread) a, (HotProcessState, HotThreadState Thread) b)
    {
        int order = b.Thread.History!.Cpu.CompareTo(a.Thread.History!.Cpu);
        if (order == 0)
            order = b.Thread.History.RanInTick.CompareTo(a.Thread.History.RanInTick);
        return order == 0 ? a.Thread.Tid.CompareTo(b.Thread.Tid) : order;
    }

    private void Release()
    {
        _processes.Clear();
        _processes.TrimExcess();
        _watched.Clear();
        _verdicts = null;
        _threads.Clear();
        _threads.TrimExcess();
        (_snapshot, _due) = (0, 0);
        collector.Exits.Recent = null;
        Volatile.Write(ref _rows, 0);
        Volatile.Write(ref _current, HotSnapshot.Empty);
    }
}
