using ThreadExporter.Linux;
using ThreadExporter.Model;

namespace ThreadExporter.Series;

/// <summary>
/// Books the CPU time of a group: what its members used, and what they waited for. When a parent waits for a child, the child's time moves
/// from the child's clock to the parent's waited-for time (proc_pid_stat(5), cutime and cstime), so the sum over the members misses no process
/// of the group, even if no collection has seen it.
/// </summary>
internal static class GroupLedger
{
    // Waited-for times are shown in whole ticks, user and kernel time each rounded down: so much of what is owed may stay hidden.
    private static readonly CpuTimes Rounding = new(2 * Clocks.NanosecondsPerTick, Clocks.NanosecondsPerTick, Clocks.NanosecondsPerTick);

    /// <summary>Books what was used since the previous collection. The ledgers of the members are settled.</summary>
    /// <param name="group">The group.</param>
    /// <param name="pass">The collection.</param>
    /// <param name="exits">Books the exit records of the group.</param>
    /// <param name="find">A process of the host, by pid: listed, or exited since the previous collection.</param>
    public static void Settle(ProcessGroup group, in CollectionPass pass, ExitLedger exits, Func<int, ListedProcess?> find)
    {
        GroupDebts.Add(group, pass, find);
        GroupBalance balance = group.Balance;
        long before = balance.Transient;
        long beforeFirstSeen = 0;
        foreach (GroupMember member in group.Members)
            beforeFirstSeen += Settle(member, balance, pass);
        ExitLedger.Booked booked = exits.Book(group, balance.Transient - before - beforeFirstSeen, pass);
        balance.Folded += booked.Folded;
        balance.Transient -= booked.Folded + booked.Named;
    }

    /// <returns>The part of the transient time that live threads had used before they were first seen. Nanoseconds.</returns>
    private static long Settle(GroupMember member, GroupBalance balance, in CollectionPass pass)
    {
        long beforeFirstSeen = 0;
        WatchedProcess process = member.Process;
        CpuTimes own = new(process.Balance.Cpu, process.Reading.User, process.Reading.Kernel);
        CpuTimes waited = CpuTimes.Max(member.Waited, process.Reading.Waited);
        if (!member.Membership.IsBaseline(pass.Number))
        {
            bool isKnown = member.HasTimes || member.Membership.BringsAll;
            CpuTimes rise = isKnown ? own - member.Own : new CpuTimes(own.Total - member.Own.Total, 0, 0);
            CpuTimes ofChildren = isKnown ? TakeWaited(member, waited - member.Waited, process.Reading.WaitedInPass == pass.Number) : default;
            balance.Cpu += rise.Total + ofChildren.Total;
            balance.User += rise.User + ofChildren.User;
            balance.Kernel += rise.Kernel + ofChildren.Kernel;
            balance.Folded += process.Balance.Folded - member.Folded;
            balance.Transient += process.Balance.Transient - member.Transient + ofChildren.Total;
            beforeFirstSeen = process.Balance.BeforeFirstSeen - member.BeforeFirstSeen;
        }
        (member.Own, member.Waited, member.HasTimes) = (own, waited, process.Reading.WaitedInPass > 0);
        (member.Folded, member.Transient, member.BeforeFirstSeen) = (process.Balance.Folded, process.Balance.Transient, process.Balance.BeforeFirstSeen);
        return beforeFirstSeen;
    }

    /// <summary>The part of a rise in waited-for time that the group has not counted as the own time of a member.</summary>
    /// <param name="member">The parent.</param>
    /// <param name="rise">The rise of its waited-for time.</param>
    /// <param name="wasRead">Whether its waited-for time is that of this collection.</param>
    private static CpuTimes TakeWaited(GroupMember member, CpuTimes rise, bool wasRead)
    {
        CpuTimes paid = CpuTimes.Min(rise, member.Owed + member.NewlyOwed);
        CpuTimes left = CpuTimes.Max(default, member.Owed - paid);
        CpuTimes newlyLeft = member.NewlyOwed - CpuTimes.Max(default, paid - member.Owed);
        // A child that had exited before the previous collection ended was waited for before this one. What is still owed then is either
        // rounding, or the parent ignores SIGCHLD and waits for nobody (wait(2), notes).
        member.Owed = wasRead ? CpuTimes.Min(left, Rounding) + newlyLeft : left + newlyLeft;
        member.NewlyOwed = default;
        return rise - paid;
    }
}
