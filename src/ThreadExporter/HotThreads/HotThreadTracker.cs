using ThreadExporter.Collection;
using ThreadExporter.Linux;
using ThreadExporter.Model;
using ThreadExporter.Procfs;
using ThreadExporter.Settings;

namespace ThreadExporter.HotThreads;

/// <summary>
/// The hottest threads of the last minutes, for people who look at the hot page or its API. While somebody does, a
/// snapshot is taken about once a second between collections, of which it touches nothing; a minute after the last look
/// all of it is let go. <see cref="KeepAlive"/> and <see cref="Current"/> are for any thread; <see cref="Tick"/> is for the one
/// that keeps collections away meanwhile.
/// </summary>
internal sealed class HotThreadTracker(ProcfsRoot root, Collector collector)
{
    /// <summary>Threads that have a history at one time: 200 of 1.6 kB are the memory that the page may take.</summary>
    public const int MaxThreads = 200;

    private const long NanosecondsPerSecond = 1_000_000_000;
    private const long Interval = NanosecondsPerSecond;
    // There is something to see soon after somebody came.
    private const long FirstInterval = NanosecondsPerSecond / 4;
    private const long KeepAliveTimeout = 60 * NanosecondsPerSecond;

    private readonly HotThreadReader _reader = new(root);
    private readonly List<(WatchedProcess Process, HotThreadState Thread)> _threads = [];
    private readonly long[] _endingThreads = new long[UsageHistory.Window + 1];
    private HotSnapshot _current = HotSnapshot.Empty;
    private long _askedAt = -KeepAliveTimeout - 1;
    private int _wanted;
    private long _snapshot;
    private long _due;

    /// <summary>The last snapshot. Costs nothing, waits for nothing.</summary>
    public HotSnapshot Current => Volatile.Read(ref _current);

    /// <summary>Threads that have a history now.</summary>
    public int Threads => _threads.Count;

    /// <summary>Somebody looks.</summary>
    /// <param name="rows">How many threads are shown: of so many <c>stat</c> is read.</param>
    /// <param name="now">Monotonic nanoseconds.</param>
    public void KeepAlive(int rows, long now)
    {
        Volatile.Write(ref _askedAt, now);
        if (rows > Volatile.Read(ref _wanted))
            Volatile.Write(ref _wanted, rows);
    }

    /// <summary>Takes a snapshot when one is due and somebody looks.</summary>
    /// <param name="config">The configuration in force.</param>
    /// <param name="now">Monotonic nanoseconds.</param>
    /// <returns>When to come again, in monotonic nanoseconds.</returns>
    public long Tick(ConfigSnapshot config, long now)
    {
        if (now - Volatile.Read(ref _askedAt) > KeepAliveTimeout)
        {
            if (_snapshot > 0)
                Release();
            return now + Interval;
        }
        // The caller's sleep counts in milliseconds.
        if (now < _due - NanosecondsPerSecond / 1000)
            return _due;

        long begin = Clocks.ThreadCpuNanoseconds();
        collector.Discover(config, now);
        long elapsed = _snapshot == 0 ? 0 : now - _endingThreads[_snapshot % _endingThreads.Length];
        _snapshot++;
        _endingThreads[_snapshot % _endingThreads.Length] = now;
        foreach (WatchedProcess process in collector.Processes)
            _reader.Read(process, _snapshot, elapsed);
        Choose(elapsed);
        long cost = Clocks.ThreadCpuNanoseconds() - begin;
        // No more of a core than the sampler may use.
        long interval = Math.Max(_snapshot == 1 ? FirstInterval : Interval, (long)(cost / config.Config.Sampler.CpuBudget));
        Volatile.Write(ref _current, Publish(config, now, interval));
        return _due = now + interval;
    }

    /// <summary>Settles who has a history, and enters this snapshot into each.</summary>
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
            // The sampler's count; it does not look at threads that no collection has seen.
            long saturated = thread.Watched?.Saturation?.Saturated ?? 0;
            thread.History ??= new UsageHistory(_snapshot, saturated);
            (long cpu, long wait) = thread.SeenInTick == _snapshot ? thread.Last : default;
            thread.History.Record(_snapshot, cpu, wait, elapsed, saturated);
        }
    }

    // Of a process whose clock stood still no thread was read.
    private bool WasSeen(WatchedProcess process, HotThreadState thread) => thread.SeenInTick == _snapshot || process.Hot!.IdleInTick == _snapshot;

    private HotSnapshot Publish(ConfigSnapshot config, long now, long interval)
    {
        // Threads that have ended since they were read, or that another has replaced, are no rows.
        _threads.Sort(CompareLoad);
        int wanted = Volatile.Read(ref _wanted);
        int place = 0;
        _threads.RemoveAll(k => (place++ < wanted || k.Thread.Name.Length == 0) && !StillExists(k.Process, k.Thread));

        long first = Math.Max(1, _snapshot - UsageHistory.Window);
        long window = now - _endingThreads[first % _endingThreads.Length];
        Dictionary<WatchedProcess, HotProcessRow> processes = [];
        HotThreadRow[] rows = new HotThreadRow[_threads.Count];
        for (int i = 0; i < rows.Length; i++)
        {
            (WatchedProcess process, HotThreadState thread) = _threads[i];
            if (!processes.TryGetValue(process, out HotProcessRow? row))
                processes.Add(process, row = Row(process.Hot!));
            UsageHistory history = thread.History!;
            rows[i] = new HotThreadRow(row, thread.Tid, thread.Name, (char)thread.State, history.Cpu, root.HasSchedInfo ? history.Wait : null,
                history.User, history.Kernel, config.Config.Sampler.Enabled && root.HasSchedInfo ? history.Saturated : null, history.Copy());
        }
        int threads = 0;
        foreach (WatchedProcess process in collector.Processes)
            threads += process.Hot?.Threads ?? 0;
        return new HotSnapshot(now, window, Math.Max(interval, Interval), collector.Processes.Count, threads, rows);
    }

    private bool StillExists(WatchedProcess process, HotThreadState thread)
    {
        if (_reader.ReadStat(process, thread))
            return true;
        thread.Reset();
        return false;
    }

    private HotProcessRow Row(HotProcessState process)
    {
        process.Rename();
        (long cpu, long threads) = process.RecentCpu(_snapshot);
        return new HotProcessRow(process.Pid, process.Name, process.Daemon, process.Filter, process.Threads, cpu, threads, root.SharesPidNamespace);
    }

    private static int CompareLoad((WatchedProcess, HotThreadState Thread) a, (WatchedProcess, HotThreadState Thread) b)
    {
        int order = b.Thread.History!.Cpu.CompareTo(a.Thread.History!.Cpu);
        if (order == 0)
            order = b.Thread.History.RanInTick.CompareTo(a.Thread.History.RanInTick);
        return order == 0 ? a.Thread.Tid.CompareTo(b.Thread.Tid) : order;
    }

    private void Release()
    {
        foreach (WatchedProcess process in collector.Processes)
        {
            process.Hot = null;
            foreach (WatchedThread thread in process.Threads)
                thread.Hot = null;
        }
        _threads.Clear();
        _threads.TrimExcess();
        (_snapshot, _due) = (0, 0);
        Volatile.Write(ref _wanted, 0);
        Volatile.Write(ref _current, HotSnapshot.Empty);
    }
}
