using System.Runtime.InteropServices;
using ThreadExporter.Linux;
using ThreadExporter.Model;
using ThreadExporter.Netlink;
using ThreadExporter.Series;
using ThreadExporter.Settings;

namespace ThreadExporter.Collection;

/// <summary>
/// Takes the kernel's exit records and gives each to the process that it belongs to. A record is booked only when its thread is off the listing:
/// until then, the thread's readings count. The caller holds the collection gate.
/// </summary>
internal sealed class ExitCollector : IDisposable
{
    /// <summary>How often records are taken between collections. The socket's buffer has room for several times that.</summary>
    public const long Interval = 100_000_000;

    private readonly Dictionary<int, WatchedProcess> _watched = [];
    private readonly UnseenExits _unseen = new();
    private readonly List<ExitRecord> _records = [];
    private int _watchedUpdate;
    private bool _isIncomplete = true;

    public ExitSubscription Subscription { get; } = new();

    /// <summary>What exit records say of processes outside of groups.</summary>
    public ExitedProcesses Processes { get; } = new();

    public ExitLedger Ledger { get; } = new();

    /// <summary>
    /// For the hot page: exited threads by process since it last took them; null while the page is not in use. Children that no collection has seen
    /// count for their parent. Set and emptied by <c>HotThreads/HotThreadTracker</c>.
    /// </summary>
    public Dictionary<WatchedProcess, ExitSums>? Recent { get; set; }

    /// <summary>Takes the records that wait.</summary>
    /// <param name="snapshot">The active configuration.</param>
    /// <param name="table">The processes that are listed.</param>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    public void Drain(ConfigSnapshot snapshot, ProcessTable table, long now)
    {
        _isIncomplete |= !Subscription.Update(snapshot, now);
        if (!Subscription.IsOpen)
            return;
        long start = Clocks.ThreadCpuNanoseconds();
        if (_watchedUpdate != table.UpdateNumber)
            Watch(table);
        _records.Clear();
        _isIncomplete |= !Subscription.Drain(_records);
        Take(CollectionsMarshal.AsSpan(_records), table, now);
        Subscription.AddCost(Clocks.ThreadCpuNanoseconds() - start, now);
    }

    /// <summary>Gives records to processes.</summary>
    private void Take(ReadOnlySpan<ExitRecord> records, ProcessTable table, long now)
    {
        _unseen.Begin(records);
        foreach (ref readonly ExitRecord record in records)
        {
            if (_watched.TryGetValue(record.Tgid, out WatchedProcess? process) && process.ThreadExits is { } exits)
            {
                ThreadCounters counters = Counters(record);
                WatchedThread? seen = Find(process, record.Tid);
                RecentOf(process)?.Add(new TaskComm(record.Comm), seen is null ? counters : counters.RiseSince(seen.Counters), exits: 1);
                // Otherwise the hot page has found it, and no collection has read it yet.
                if (process.Balance.IsStarted)
                    Take(process.Pid, seen, exits, record, counters);
                else
                    TakeUnseen(process, record, counters, table, now);
            }
            else if (record.Tgid > 0 && table.Find(record.Tgid) is not { IsAlive: true })
            {
                TakeUnseen(null, record, Counters(record), table, now);
            }
        }
    }

    /// <summary>
    /// Leaves the records of threads that are off the listing to the ledgers. The processes have been read, <see cref="Drain"/> was called after
    /// that, and the groups are up to date.
    /// </summary>
    public void Resolve(ProcessTable table, in CollectionPass pass)
    {
        bool isOpen = Subscription.IsOpen;
        Ledger.IsComplete = isOpen && !_isIncomplete;
        _isIncomplete = !isOpen;
        if (!isOpen && _watched.Count == 0)
            return;
        foreach (WatchedProcess process in _watched.Values)
        {
            if (process.ThreadExits is not { } exits)
                continue;
            bool isAlive = table.IsAlive(process);
            if (process.Balance.IsStarted)
                Release(process, exits, isAlive, pass);
            // What it had used before it was first seen is not booked by name, except when it brings its time to a group.
            else if (process.Membership is { BringsAll: true })
                _unseen.MoveThreads(process.Pid, exits.Unseen);
            if (!isAlive && process is { Membership: null, Balance.IsStarted: true })
                Processes.Add(process.Filter, process.Daemon, process.Name, process.CgroupLabels, exits.Unseen, pass.StartedAt);
            else if (exits.Unseen.Count > 0)
                exits.Unseen.MoveTo(process.SeriesOwner.StartExits().Pending);
            if (!isOpen)
                process.ThreadExits = null;
        }
        _watched.Clear();
        _watchedUpdate = 0;
        _unseen.Clear();
        if (!isOpen)
            return;
        Watch(table);
    }

    // Also between collections: the hot page discovers processes, and it is used without scrapes.
    private void Watch(ProcessTable table)
    {
        _watchedUpdate = table.UpdateNumber;
        foreach (WatchedProcess process in table.Watched)
        {
            if (_watched.TryAdd(process.Pid, process))
                process.ThreadExits ??= new ThreadExits();
        }
    }

    public void Dispose() => Subscription.Dispose();

    private ExitSums? RecentOf(WatchedProcess process)
    {
        if (Recent is null)
            return null;
        if (!Recent.TryGetValue(process, out ExitSums? sums))
            Recent.Add(process, sums = new ExitSums());
        return sums;
    }

    private static void Take(int pid, WatchedThread? seen, ThreadExits exits, in ExitRecord record, in ThreadCounters counters)
    {
        int tid = record.Tid;
        TaskComm name = new(record.Comm);
        // The main thread may be a zombie, which is still read.
        bool isKnown = tid == pid || seen is not null || exits.Departed.ContainsKey(tid);
        if (isKnown && exits.Known.TryAdd(tid, new KnownExit(name, counters, HasWaited: false)))
            return;
        // A second record of a tid belongs to a thread that no collection has seen.
        if (tid != pid)
            exits.Unseen.Add(name, counters, exits: 1);
        // But a second main thread is a worker that has called exec. If a collection has been made since, its readings are those of the worker, and
        // what the first one had used after its last reading stays without a name; else that of the worker does.
        else if (exits.Known[tid].HasWaited)
            exits.Known[tid] = new KnownExit(name, counters, HasWaited: false);
    }

    /// <param name="process">The process, if the hot page has found it; no collection has read it.</param>
    /// <param name="record">A record of one of its threads.</param>
    /// <param name="counters">The counters of the record.</param>
    /// <param name="table">The processes that are listed.</param>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    private void TakeUnseen(WatchedProcess? process, in ExitRecord record, in ThreadCounters counters, ProcessTable table, long now)
    {
        UnseenProcess? unseen = _unseen.Add(record, counters, out bool isLost);
        _isIncomplete |= isLost;
        if (unseen is null)
            return;
        (int ppid, WatchedProcess? parent) = _unseen.WatchedAncestor(unseen.ParentPid, _watched);
        byte[] name = unseen.Name!;
        if (parent is not null && process is null && RecentOf(parent) is { } recent)
            unseen.Threads.CopyTo(recent);
        if (parent?.Membership is { } membership)
        {
            // Its CPU time is in the time that the parent waited for.
            unseen.Threads.MoveTo(membership.Group.StartExits().Pending);
            return;
        }
        if ((process?.Filter ?? table.MatchExited(name, unseen.Uid, ppid)) is not { Config.Group: false } filter)
            return;
        WatchedProcess? like = process ?? (parent?.Filter == filter ? parent : null);
        Processes.Add(filter, like?.Daemon, name, like?.CgroupLabels ?? [], unseen.Threads, now);
    }

    private static void Release(WatchedProcess process, ThreadExits exits, bool isAlive, in CollectionPass pass)
    {
        foreach ((int tid, KnownExit known) in exits.Known)
        {
            WatchedThread? thread = Find(process, tid);
            // First, because another thread may have the tid already.
            if (exits.Departed.Remove(tid, out (WatchedThread Thread, long Pass) departed))
            {
                thread = departed.Thread;
            }
            else if (isAlive && thread is not null)
            {
                exits.Known[tid] = known with { HasWaited = true };
                continue;
            }
            exits.Unseen.Add(known.Name, thread is null ? known.Counters : known.Counters.RiseSince(thread.Booking.Counters), exits: 1);
            exits.Known.Remove(tid);
        }
        foreach ((int tid, (_, long departedInPass)) in exits.Departed)
        {
            if (departedInPass < pass.Number - 1)
                exits.Departed.Remove(tid);
        }
    }

    private static WatchedThread? Find(WatchedProcess process, int tid)
    {
        Span<WatchedThread> threads = CollectionsMarshal.AsSpan(process.Threads);
        int index = threads.BinarySearch(new ByTid(tid));
        return index < 0 ? null : threads[index];
    }

    private readonly struct ByTid(int tid) : IComparable<WatchedThread>
    {
        public int CompareTo(WatchedThread? other) => tid.CompareTo(other!.Tid);
    }

    private static ThreadCounters Counters(in ExitRecord record)
    {
        ThreadCounters counters = ThreadCounters.Unknown;
        counters.Cpu = record.CpuNanoseconds;
        counters[CounterKind.Wait] = record.WaitNanoseconds;
        counters[CounterKind.Timeslices] = record.Timeslices;
        counters[CounterKind.User] = record.UserNanoseconds;
        counters[CounterKind.Kernel] = record.KernelNanoseconds;
        counters[CounterKind.VoluntarySwitches] = record.VoluntarySwitches;
        counters[CounterKind.InvoluntarySwitches] = record.InvoluntarySwitches;
        counters[CounterKind.MinorFaults] = record.MinorFaults;
        counters[CounterKind.MajorFaults] = record.MajorFaults;
        counters[CounterKind.ReadBytes] = record.ReadBytes;
        counters[CounterKind.WriteBytes] = record.WriteBytes;
        return counters;
    }
}
