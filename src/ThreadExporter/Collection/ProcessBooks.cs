namespace ThreadExporter.Collection;

/// <summary>
/// The closed books of one process. Between two successive collections, to the nanosecond: what <see cref="Cpu"/> rose is what
/// the thread series shown in both rose, and <see cref="Folded"/>, and <see cref="Transient"/>. None of them falls.
/// </summary>
internal sealed class ProcessBooks
{
    // A running thread's time moves at its CPU's ticks, which are 10 ms apart at most (CONFIG_HZ=100).
    private static readonly long TicksOfAllCpus = Environment.ProcessorCount * 10_000_000L;

    // A value of the process's clock that it had passed when the threads' booked values were read.
    private long _clockBefore;

    /// <summary>False until its past has been booked.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>CPU time of the process: never below its clock as of when the threads were read. Nanoseconds.</summary>
    public long Cpu { get; private set; }

    /// <summary>CPU time of live, known threads while they were in no series shown in both collections. Nanoseconds.</summary>
    public long Folded { get; private set; }

    /// <summary>CPU time of threads that no two collections saw: born and gone in between, before the first sight, after the last. Nanoseconds.</summary>
    public long Transient { get; private set; }

    /// <summary>Books what was used since the collection before. The process has been read and its series are arranged.</summary>
    public void Close(WatchedProcess process, in Pass pass)
    {
        if (!process.HasMoved)
            return;
        process.HasMoved = false;
        if (IsOpen)
            Continue(process, pass);
        else
            Open(process);
        _clockBefore = process.ClockBefore;
    }

    // The past is booked as if it had been one interval, so that the sums agree from the first collection on.
    private void Open(WatchedProcess process)
    {
        IsOpen = true;
        long sum = 0;
        foreach (WatchedThread thread in process.Threads)
        {
            ThreadCounters now = thread.Counters;
            sum += now.Cpu;
            if (thread.Series is not { ShownSince: > 0 })
                Folded += now.Cpu;
            if (thread.Series is { IsGroup: true } group)
                group.Shown.AddRise(default, now);
            Take(thread, now, counts: true);
        }
        Cpu = Math.Max(process.Clock, sum);
        Transient = Cpu - sum;
    }

    private void Continue(WatchedProcess process, in Pass pass)
    {
        // No thread can have used more.
        // No limit from a clock that went backwards: it says nothing about them.
        long most = _clockBefore < 0 || process.Clock < _clockBefore ? long.MaxValue : process.Clock - _clockBefore + TicksOfAllCpus;
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
            if (thread.MissedIn == pass.Number)
                continue;
            if (thread is { IsCpuBookedElsewhere: true, IsCpuUnknown: false })
                thread.Booked.Cpu = now.Cpu;
            // Of one that was missed the rise is of more than one interval.
            if (thread.MissedIn == 0 && now.Cpu - thread.Booked.Cpu > most)
            {
                // exec by a worker thread: the leader's descriptor answers for the worker, whose time is higher.
                thread.Succeed();
                newcomers = true;
                continue;
            }
            // What it used while it could not be read was booked as transient by then.
            bool counts = thread.MissedIn == 0 && Counts(thread, pass);
            if (thread.MissedIn == 0 && now != thread.Booked)
                sum += Book(thread, now, pass, counts);
            Take(thread, now, counts);
        }
        long rest = Math.Max(0, process.Clock - Cpu - sum);
        Cpu += sum + rest;
        if (newcomers)
            rest -= Welcome(process, rest, pass);
        Transient += rest;
    }

    /// <returns>Nanoseconds booked.</returns>
    private long Book(WatchedThread thread, in ThreadCounters now, in Pass pass, bool counts)
    {
        long cpu = Math.Max(0, now.Cpu - thread.Booked.Cpu);
        if (counts)
            thread.Series!.Shown.AddRise(thread.Booked, now);
        if (!IsShownInBoth(thread, pass))
            Folded += cpu;
        return cpu;
    }

    private static bool IsShownInBoth(WatchedThread thread, in Pass pass) =>
        thread.Series is { } series && thread.PlacedIn < pass.Number && series.IsShownInBoth(pass.Number);

    // A series that nobody has seen yet may begin at any value: best at what the kernel says.
    private static bool Counts(WatchedThread thread, in Pass pass) =>
        IsShownInBoth(thread, pass) || thread.Series?.IsUnseen(pass.Number) == true;

    /// <summary>Threads seen for the first time: what they have used goes to their group when that is shown in both collections, as far as the rest reaches.</summary>
    /// <returns>Nanoseconds that went to groups.</returns>
    private static long Welcome(WatchedProcess process, long rest, in Pass pass)
    {
        long given = 0;
        foreach (WatchedThread thread in process.Threads)
        {
            if (thread.IsBooked)
                continue;
            ThreadCounters now = thread.Counters;
            bool counts = thread.Series is { IsGroup: true } group && group.IsShownInBoth(pass.Number);
            if (counts)
            {
                ThreadCounters first = now with { Cpu = Math.Min(now.Cpu, rest - given) };
                given += first.Cpu;
                thread.Series!.Shown.AddRise(default, first);
            }
            else if (thread is { IsSuccessor: true, Series.IsGroup: false })
            {
                thread.Series.BeginAtZero();
            }
            Take(thread, now, counts);
        }
        return given;
    }

    private static void Take(WatchedThread thread, in ThreadCounters now, bool counts)
    {
        if (thread.Extras is { } extras)
        {
            // At first sight a group takes all that a member has.
            ThreadExtras? before = thread.IsBooked ? thread.BookedExtras : new ThreadExtras(extras.Kinds).FromZero(extras);
            thread.Series?.Take(before, extras, counts);
            if (!thread.IsBooked)
                thread.BookedExtras = null;
            (thread.BookedExtras ??= new ThreadExtras(extras.Kinds)).Raise(extras);
        }
        else
        {
            thread.BookedExtras = null;
        }
        if (thread.IsBooked)
            thread.Booked.Follow(now);
        else
            thread.Booked = now;
        thread.IsCpuBookedElsewhere = thread.IsCpuUnknown;
        thread.IsBooked = true;
        thread.IsSuccessor = false;
        thread.MissedIn = 0;
    }
}
