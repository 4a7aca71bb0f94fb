using ThreadExporter.Model;

namespace ThreadExporter.Series;

/// <summary>
/// Books the CPU time of a process, so that it adds up (<see cref="ProcessBalance"/>): each nanosecond that its clock moved is in a thread
/// series, in the folded or in the transient time.
/// </summary>
internal static class CpuLedger
{
    // The run time of a running thread is updated at the ticks of its CPU, at most 10 ms apart (CONFIG_HZ=100). So much may be missing on each
    // CPU that this process may use.
    private static readonly long LateTicks = Environment.ProcessorCount * 10_000_000L;

    /// <summary>Books what was used since the previous collection. The process has been read, and its series are selected.</summary>
    /// <param name="process">The process.</param>
    /// <param name="pass">The collection.</param>
    /// <param name="exits">Books the exit records of a process outside of groups.</param>
    public static void Settle(WatchedProcess process, in CollectionPass pass, ExitLedger exits)
    {
        ProcessBalance balance = process.Balance;
        if (process.Membership is null)
            (balance.Folded, balance.InGroupSeries) = (balance.Folded + balance.InGroupSeries, 0);
        if (!process.HasUnbookedCpu)
            return;
        (balance.CountersVersion, balance.SamplingVersion) = (process.Reading.CountersVersion, process.Sampling.Version);
        if (balance.IsStarted)
            SettleNext(process, pass, exits);
        else
            SettleFirst(process, pass);
        balance.ClockBeforeThreads = process.Reading.ClockBeforeThreads;
    }

    // All time before the first collection is booked as one interval, so that the CPU time adds up from then on.
    private static void SettleFirst(WatchedProcess process, in CollectionPass pass)
    {
        ProcessBalance balance = process.Balance;
        balance.IsStarted = true;
        (long sum, long attributed) = (0, 0);
        foreach (WatchedThread thread in process.Threads)
        {
            ThreadCounters now = thread.Counters;
            sum += now.Cpu;
            // An own series starts at the thread's values; the series of a group may have been shown before.
            bool isAttributed = process.Membership is { } membership
                ? membership.BringsAll && thread.Series?.IsShownInBoth(pass.Number) == true
                : thread.Series is { IsNameSeries: true };
            if (isAttributed || (process.Membership is null && thread.Series is { ShownSincePass: > 0 }))
                attributed += now.Cpu;
            else if (process.Membership is null)
                balance.Folded += now.Cpu;
            Commit(thread, before: default, now, now, isAttributed, pass);
        }
        balance.Cpu = Math.Max(process.Reading.Clock, sum);
        balance.Transient = balance.Cpu - attributed - balance.Folded;
        if (process.Membership is not null)
            (balance.InGroupSeries, balance.BeforeFirstSeen) = (attributed, sum - attributed);
    }

    private static void SettleNext(WatchedProcess process, in CollectionPass pass, ExitLedger exits)
    {
        ProcessBalance balance = process.Balance;
        long clock = process.Reading.Clock;
        // No thread can have used more. A clock that went backwards gives no limit.
        long limit = balance.ClockBeforeThreads < 0 || clock < balance.ClockBeforeThreads ? long.MaxValue : clock - balance.ClockBeforeThreads + LateTicks;
        long sum = 0;
        bool hasNewThreads = false;
        foreach (WatchedThread thread in process.Threads)
        {
            if (!thread.IsBooked)
            {
                hasNewThreads = true;
                continue;
            }
            if (thread.Reading.UnreadInPass == pass.Number)
                continue;
            ThreadCounters now = thread.Counters;
            if (thread.Booking.IsCpuTransient && !thread.Reading.IsCpuUnknown)
                thread.Booking.Counters.Cpu = now.Cpu;
            // The increase of a thread that could not be read covers more than one interval.
            bool wasUnread = thread.Reading.UnreadInPass > thread.Booking.InPass;
            if (!wasUnread && now.Cpu - thread.Booking.Counters.Cpu > limit)
            {
                // exec by a worker thread: the main thread's descriptor now belongs to the worker, which has used more.
                (thread.Booking.Identity, thread.Booking.WasReplaced) = (0, true);
                hasNewThreads = true;
                continue;
            }
            // There is nothing to book, unless the series takes the thread's extended counters.
            if (!wasUnread && thread.Reading is { Extended: 0, IsCpuUnknown: false } && !thread.Booking.IsCpuTransient && now.SameAs(thread.Booking.Counters))
                continue;
            // What it used while it could not be read has been booked as transient.
            bool isAttributed = !wasUnread && IsAttributable(thread, pass);
            ThreadCounters before = thread.Booking.Counters;
            if (!wasUnread)
            {
                long cpu = Math.Max(0, now.Cpu - before.Cpu);
                sum += cpu;
                if (!IsShownInBoth(thread, pass))
                    balance.Folded += cpu;
                else if (process.Membership is not null)
                    balance.InGroupSeries += cpu;
            }
            Commit(thread, before, now, now, isAttributed, pass);
        }
        long unattributed = Math.Max(0, clock - balance.Cpu - sum);
        balance.Cpu += sum + unattributed;
        (long used, long attributed) = hasNewThreads ? BookNewThreads(process, unattributed, pass) : default;
        if (process.Membership is null)
        {
            ExitLedger.Booked booked = exits.Book(process, unattributed - used, pass);
            balance.Folded += booked.Folded;
            balance.Transient += unattributed - attributed - booked.Folded - booked.Named;
        }
        else
        {
            balance.Transient += unattributed - attributed;
            balance.BeforeFirstSeen += used - attributed;
            balance.InGroupSeries += attributed;
        }
    }

    private static bool IsShownInBoth(WatchedThread thread, in CollectionPass pass) =>
        thread.Series is { } series && thread.Assignment.ChangedInPass < pass.Number && series.IsShownInBoth(pass.Number);

    // A series that no scrape has exposed yet may start at any value. The kernel's is the most useful one.
    private static bool IsAttributable(WatchedThread thread, in CollectionPass pass) =>
        IsShownInBoth(thread, pass) || thread.Series?.IsUnseen(pass.Number) == true;

    /// <summary>Books new threads. Their CPU time goes to their name series if both collections show it, but no more than is unattributed.</summary>
    /// <returns>CPU time of the new threads, and the part of it that went to name series. Nanoseconds.</returns>
    private static (long Used, long Attributed) BookNewThreads(WatchedProcess process, long unattributed, in CollectionPass pass)
    {
        (long used, long attributed) = (0, 0);
        foreach (WatchedThread thread in process.Threads)
        {
            if (thread.IsBooked)
                continue;
            ThreadCounters now = thread.Counters;
            used += now.Cpu;
            ThreadCounters booked = now;
            bool isAttributed = thread.Series is { IsNameSeries: true } series && series.IsShownInBoth(pass.Number)
                && process.Membership?.IsBaseline(pass.Number) != true;
            if (isAttributed)
            {
                booked.Cpu = Math.Min(now.Cpu, unattributed - attributed);
                attributed += booked.Cpu;
            }
            else if (thread is { IsReplacement: true, Series.IsNameSeries: false })
            {
                thread.Series.StartAtZero();
            }
            Commit(thread, before: default, booked, now, isAttributed, pass);
        }
        return (used, attributed);
    }

    private static void Commit(WatchedThread thread, in ThreadCounters before, in ThreadCounters booked, in ThreadCounters now, bool isAttributed, in CollectionPass pass)
    {
        thread.Series?.Book(before, booked, isAttributed, thread.Reading);
        ref ThreadBooking booking = ref thread.Booking;
        if (thread.IsBooked)
            booking.Counters.Follow(now);
        else
            booking.Counters = now;
        booking.IsCpuTransient = thread.Reading.IsCpuUnknown;
        booking.Identity = thread.Reading.Identity;
        booking.WasReplaced = false;
        booking.InPass = pass.Number;
    }
}
