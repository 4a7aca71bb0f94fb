using ThreadExporter.Collection;
using ThreadExporter.Linux;
using ThreadExporter.Matching;
using ThreadExporter.Model;
using ThreadExporter.Procfs;

namespace ThreadExporter.HotThreads;

/// <summary>
/// Reads for the hot page what has run since the last snapshot: first the threads of a process, through the kept descriptors, then its
/// clock, so that the clock covers the CPU time of the threads.
/// </summary>
internal sealed class HotThreadReader(ProcfsRoot root)
{
    // When no known thread accounts for more than this share of a core, the threads are listed again, to find new ones.
    private const double WorthListing = 0.01;

    private const int MostThreadsForStat = 64;

    private readonly byte[] _buffer = new byte[4096];
    private readonly List<int> _tids = [];

    /// <summary>Threads without a history that ran or waited for a CPU in this snapshot.</summary>
    public List<(HotProcessState Process, HotThreadState Thread)> Candidates { get; } = [];

    /// <summary>Reads the threads of a process and its clock. A process or thread that has exited is left as it was.</summary>
    /// <param name="hot">The process.</param>
    /// <param name="snapshot">The number of this snapshot.</param>
    /// <param name="elapsed">Nanoseconds since the last snapshot.</param>
    public void Read(HotProcessState hot, long snapshot, long elapsed)
    {
        WatchedProcess process = hot.Watched;
        long clock = -1;
        if (root.SharesPidNamespace && !Clocks.TryGetProcessCpu(process.Pid, out clock))
            return;
        hot.SeenInTick = snapshot;
        if (clock >= 0 && clock == hot.Clock)
        {
            hot.IdleInTick = snapshot;
            return;
        }
        long threads = 0;
        foreach (WatchedThread watched in process.Threads)
        {
            HotThreadState thread = hot.StateOf(watched);
            threads += Read(hot, thread, watched.Descriptor, snapshot, elapsed);
        }
        hot.Prune();
        foreach (HotThreadState thread in hot.NewThreads)
            threads += Read(hot, thread, -1, snapshot, elapsed);
        hot.NewThreads.RemoveAll(t => t.SeenInTick != snapshot);

        // The process may have exited meanwhile; the CPU time of its threads stays valid.
        if (clock >= 0 && !Clocks.TryGetProcessCpu(process.Pid, out clock))
            clock = hot.Clock;
        long used = clock >= 0 && hot.Clock >= 0 ? clock - hot.Clock : 0;
        // A clock that went backwards counts again once it has passed its highest value: the time up to that has been shown.
        hot.Clock = Math.Max(hot.Clock, clock);
        // Threads are read before the clock, so their interval starts earlier than the clock's: they can exceed it.
        hot.Record(snapshot, Math.Max(used, threads), threads);
        if (process.Threads.Count == 0 || clock < 0 || used - threads > elapsed * WorthListing)
            FindNewThreads(hot, snapshot, elapsed);
    }

    /// <summary>Reads the name, state, user and kernel time of a listed thread.</summary>
    /// <returns>False when the thread has exited or its tid belongs to another thread.</returns>
    public bool ReadStat(WatchedProcess process, HotThreadState thread)
    {
        if (!TryReadStat(process, thread.Tid, -1, out ProcStat stat) || (thread.StartTicks != 0 && thread.StartTicks != stat.StartTicks))
            return false;
        thread.StartTicks = stat.StartTicks;
        thread.State = stat.State;
        thread.Rename(TaskName.Stable(stat.Comm, process.IsKernelThread));
        thread.History?.RecordModes(stat.UserNanoseconds, stat.KernelNanoseconds);
        return true;
    }

    /// <summary>
    /// Reads what a process has waited for. Its <c>stat</c> sums over all its threads, so it is read only while these are few, as in daemons that fork.
    /// </summary>
    /// <returns>CPU time of the children that it has waited for since the last snapshot, in nanoseconds.</returns>
    public long ReadWaited(HotProcessState hot)
    {
        if (hot.Threads > MostThreadsForStat || RawFile.ReadOnce(hot.Watched.Directory, "stat"u8, _buffer, out int length) != ReadStatus.Ok
            || !ProcStat.TryParse(_buffer.AsSpan(0, length), out ProcStat stat))
        {
            return 0;
        }
        (long user, long kernel) = stat.WaitedNanoseconds;
        long waited = Math.Max(hot.Waited, Math.Max(0, user) + Math.Max(0, kernel));
        long rise = hot.Waited < 0 ? 0 : waited - hot.Waited;
        hot.Waited = waited;
        return rise;
    }

    /// <returns>Nanoseconds that the thread ran since the last snapshot.</returns>
    private long Read(HotProcessState process, HotThreadState thread, int descriptor, long snapshot, long elapsed)
    {
        if (!TryRead(process.Watched, thread.Tid, descriptor, out long run, out long waited))
            return 0;
        if (run < 0)
        {
            // The thread exists, but its run time is out of range: its CPU time stays unattributed, and the next reading counts as the first.
            (thread.Cpu, thread.Last, thread.SeenInTick) = (-1, default, snapshot);
            return 0;
        }
        // exec by a worker thread gives it the main thread's tid and descriptor. It shows by a run time that decreases, or grows faster than time.
        if (run < thread.Cpu - (root.HasSchedInfo ? 0 : ThreadReader.RoundingOfTicks) || (thread.Cpu >= 0 && run - thread.Cpu > 2 * Math.Max(elapsed, 20 * Clocks.NanosecondsPerTick)))
            thread.Reset();
        if (thread.Cpu >= 0)
            thread.ComparedInTick = snapshot;
        // CPU time from before the thread was first seen does not belong to this window and stays unattributed.
        thread.Last = thread.Cpu < 0 ? default : (Math.Max(0, run - thread.Cpu), thread.Wait < 0 ? 0 : Math.Max(0, waited - thread.Wait));
        (thread.Cpu, thread.Wait, thread.SeenInTick) = (Math.Max(run, thread.Cpu), Math.Max(waited, thread.Wait), snapshot);
        if (thread.Last != default)
        {
            thread.AddLoad((double)(thread.Last.Cpu + thread.Last.Wait) / Math.Max(1, elapsed), snapshot);
            if (thread.History is null)
                Candidates.Add((process, thread));
        }
        return thread.Last.Cpu;
    }

    private bool TryRead(WatchedProcess process, int tid, int descriptor, out long run, out long waited)
    {
        (run, waited) = (0, 0);
        if (!root.HasSchedInfo)
        {
            if (!TryReadStat(process, tid, descriptor, out ProcStat stat))
                return false;
            (long user, long kernel) = (stat.UserNanoseconds, stat.KernelNanoseconds);
            run = (user | kernel) < 0 ? -1 : user + kernel;
            return true;
        }
        if (ThreadReader.ReadFile(process, tid, descriptor, "/schedstat"u8, _buffer, out int length) != ReadStatus.Ok
            || !ProcSchedstat.TryParse(_buffer.AsSpan(0, length), out ProcSchedstat sched))
        {
            return false;
        }
        (run, waited) = (sched.RunNanoseconds, sched.WaitNanoseconds);
        return true;
    }

    private bool TryReadStat(WatchedProcess process, int tid, int descriptor, out ProcStat stat)
    {
        stat = default;
        return ThreadReader.ReadFile(process, tid, descriptor, "/stat"u8, _buffer, out int length) == ReadStatus.Ok
            && ProcStat.TryParse(_buffer.AsSpan(0, length), out stat);
    }

    /// <summary>Lists the threads to find new ones, which nothing else does between collections. One of them may use the most CPU.</summary>
    private void FindNewThreads(HotProcessState hot, long snapshot, long elapsed)
    {
        WatchedProcess process = hot.Watched;
        if (RawFile.ListIds(process.Directory, "task"u8, _tids) != ReadStatus.Ok)
            return;
        _tids.Sort();
        int watched = 0;
        int known = 0;
        List<HotThreadState> newThreads = [];
        foreach (int tid in _tids)
        {
            while (watched < process.Threads.Count && process.Threads[watched].Tid < tid)
                watched++;
            while (known < hot.NewThreads.Count && hot.NewThreads[known].Tid < tid)
                known++;
            // A known thread that could not be read has exited: a listed thread with its tid is another one.
            if (watched < process.Threads.Count && process.Threads[watched].Tid == tid
                && hot.States.TryGetValue(process.Threads[watched], out HotThreadState? state) && state.SeenInTick == snapshot)
                continue;
            if (known < hot.NewThreads.Count && hot.NewThreads[known].Tid == tid)
            {
                newThreads.Add(hot.NewThreads[known]);
                continue;
            }
            HotThreadState thread = new(tid);
            Read(hot, thread, -1, snapshot, elapsed);
            newThreads.Add(thread);
        }
        hot.NewThreads = newThreads;
    }
}
