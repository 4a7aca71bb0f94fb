using ThreadExporter.Model;

namespace ThreadExporter.Series;

/// <summary>
/// The closed books of one process. Between two successive collections, to the nanosecond: what <see cref="Cpu"/> rose is what
/// the thread series shown in both rose, and <see cref="Folded"/>, and <see cref="Transient"/>. None of them falls.
/// </summary>
internal sealed class CpuLedger
{
    // A running thread's time moves at its CPU's ticks, which are 10 ms apart at most (CONFIG_HZ=100).
    private static readonly long TicksOnAllCpus = Environment.ProcessorCount * 10_000_000L;

    // A value of the process's clock that it had passed when the threads' booked values were read.
    private long _clockAtLastSettlement;

    /// <summary>False until its past has been booked.</summary>
    public bool IsStarted { get; private set; }

    /// <summary>CPU time of the process: never below its clock as of when the threads were read. Nanoseconds.</summary>
    public long Cpu { get; private set; }

    /// <summary>CPU time of live, known threads while they were in no series shown in both collections. Nanoseconds.</summary>
    public long Folded { get; private set; }

    /// <summary>CPU time of threads that no two collections saw: born and gone in between, before the first sight, after the last. Nanoseconds.</summary>
    public long Transient { get; private set; }

    /// <summary>Books what was used since the collection before. The process has been read and its series are arranged.</summary>
    public void Settle(WatchedProcess process, in CollectionPass pass)
    {
        if (!process.HasUnbookedCpu)
            return;
        process.HasUnbookedCpu = false;
        if (IsStarted)
            SettleNext(process, pass);
        else
            SettleFirst(process);
        _clockAtLastSettlement = process.ClockAtLastBooking;
    }

    // The past is booked as if it had been one interval, so that the sums agree from the first collection on.
    private void SettleFirst(WatchedProcess process)
    {
        IsStarted = true;
        long sum = 0;
        foreach (WatchedThread thread in process.Threads)
        {
            ThreadCounters now = thread.Counters;
            sum += now.Cpu;
            if (thread.Series is not { ShownSincePass: > 0 })
                Folded += now.Cpu;
            if (thread.Series is { IsNameSeries: true } group)
                group.Shown.AddRise(default, now);
            Commit(thread, now, counts: true);
        }
        Cpu = Math.Max(process.Clock, sum);
        Transient = Cpu - sum;
    }

    private void SettleNext(WatchedProcess process, in CollectionPass pass)
    {
        // No thread can have used more.
        // No limit from a clock that went backwards: it says nothing about them.
        long most = _clockAtLastSettlement < 0 || process.Clock < _clockAtLastSettlement ? long.MaxValue : process.Clock - _clockAtLastSettlement + TicksOnAllCpus;
        long sum = 0;
        bool newcomers = false;
        foreach (WatchedThread thread in process.Threads)
        {
            if (!thread.IsBooked)
            {
                newcomers = true;
                continue;
            }
            ThreadCounters now = thread.Counters;
            if (thread.UnreadSincePass == pass.Number)
                continue;
            if (thread is { IsCpuBookedElsewhere: true, IsCpuUnknown: false })
                thread.Booked.Cpu = now.Cpu;
            // Of one that was missed the rise is of more than one interval.
            if (thread.UnreadSincePass == 0 && now.Cpu - thread.Booked.Cpu > most)
            {
                // exec by a worker thread: the leader's descriptor answers for the worker, whose time is higher.
                thread.MarkReplaced();
                newcomers = true;
                continue;
            }
            // What it used while it could not be read was booked as transient by then.
            bool counts = thread.UnreadSincePass == 0 && IsAttributable(thread, pass);
            if (thread.UnreadSincePass == 0 && now != thread.Booked)
                sum += Book(thread, now, pass, counts);
            Commit(thread, now, counts);
        }
        long rest = Math.Max(0, process.Clock - Cpu - sum);
        Cpu += sum + rest;
        if (newcomers)
            rest -= BookNewThreads(process, rest, pass);
        Transient += rest;
    }

    /// <returns>Nanoseconds booked.</returns>
    private long Book(WatchedThread thread, in ThreadCounters now, in CollectionPass pass, bool counts)
    {
        long cpu = Math.Max(0, now.Cpu - thread.Booked.Cpu);
        if (counts)
            thread.Series!.Shown.AddRise(thread.Booked, now);
        if (!IsShownInBoth(thread, pass))
            Folded += cpu;
        return cpu;
    }

    private static bool IsShownInBoth(WatchedThread thread, in CollectionPass pass) =>
        thread.Series is { } series && thread.SeriesChangedInPass < pass.Number && series.IsShownInBoth(pass.Number);

    // A series that nobody has seen yet may begin at any value: best at what the kernel says.
    private static bool IsAttributable(WatchedThread thread, in CollectionPass pass) =>
        IsShownInBoth(thread, pass) || thread.Series?.IsUnseen(pass.Number) == true;

    /// <summary>Threads seen for the first time: what they have used goes to their group when that is shown in both collections, as far as the rest reaches.</summary>
    /// <returns>Nanoseconds that went to groups.</returns>
    private static long BookNewThreads(WatchedProcess process, long rest, in CollectionPass pass)
    {
        long given = 0;
        foreach (WatchedThread thread in process.Threads)
        {
            if (thread.IsBooked)
                continue;
            ThreadCounters now = thread.Counters;
            bool counts = thread.Series is { IsNameSeries: true } group && group.IsShownInBoth(pass.Number);
            if (counts)
            {
                ThreadCounters first = now with { Cpu = Math.Min(now.Cpu, rest - given) };
                given += first.Cpu;
                thread.Series!.Shown.AddRise(default, first);
            }
            else if (thread is { IsReplacement: true, Series.IsNameSeries: false })
            {
                thread.Series.StartAtZero();
            }
            Commit(thread, now, counts);
        }
        return given;
    }

    private static void Commit(WatchedThread thread, in ThreadCounters now, bool counts)
    {
        if (thread.Extended is { } extras)
        {
            // At first sight a group takes all that a member has.
            ExtendedCounters? before = thread.IsBooked ? thread.BookedExtended : new ExtendedCounters(extras.Kinds).FromZero(extras);
            thread.Series?.AddExtended(before, extras, counts);
            if (!thread.IsBooked)
                thread.BookedExtended = null;
            (thread.BookedExtended ??= new ExtendedCounters(extras.Kinds)).Raise(extras);
        }
        else
        {
            thread.BookedExtended = null;
        }
        if (thread.IsBooked)
            thread.Booked.Follow(now);
        else
            thread.Booked = now;
        thread.IsCpuBookedElsewhere = thread.IsCpuUnknown;
        thread.IsBooked = true;
        thread.IsReplacement = false;
        thread.UnreadSincePass = 0;
    }
}
