using ThreadExporter.Model;

namespace ThreadExporter.Series;

/// <summary>
/// The CPU time of members that have exited: the group has counted it, and it comes again in the waited-for time of the member that waits for them, or for
/// a process that has waited for them (docs/decisions/0012).
/// </summary>
internal static class GroupDebts
{
    // Reused pids could close a circle.
    private const int MaxAncestors = 64;

    private const int MaxHeld = 1000;

    /// <summary>Gives the time of what has exited since the previous collection to the processes that wait for it.</summary>
    /// <param name="group">The group.</param>
    /// <param name="pass">The collection.</param>
    /// <param name="find">A process of the host, by pid: listed, or exited since the previous collection.</param>
    public static void Add(ProcessGroup group, in CollectionPass pass, Func<int, ListedProcess?> find)
    {
        if (group.Exited.Count == 0 && group.Held.Count == 0)
            return;
        Dictionary<int, GroupMember> members = [];
        foreach (GroupMember member in group.Members)
            members[member.Process.Pid] = member;
        Dictionary<int, int> parents = [];
        foreach (GroupMember member in group.Exited)
            parents[member.Process.Pid] = member.Process.Reading.ParentPid;
        foreach (((int pid, ulong startTicks), CpuTimes debt) in group.Held.ToArray())
        {
            ListedProcess? process = find(pid);
            if (process is { IsAlive: true } && process.Value.StartTicks == startTicks)
                continue;
            group.Held.Remove((pid, startTicks));
            if (process is { IsAlive: false })
                Pass(process.Value.ParentPid, debt, pass);
        }
        foreach (GroupMember member in group.Exited)
            Pass(member.Process.Reading.ParentPid, member.Own + member.Waited + member.Owed + member.NewlyOwed, pass);
        group.Exited.Clear();

        // The nearest ancestor that is still there waits for it.
        void Pass(int pid, CpuTimes debt, in CollectionPass pass)
        {
            for (int i = 0; i < MaxAncestors; i++)
            {
                if (members.TryGetValue(pid, out GroupMember? member))
                {
                    // The waited-for time of a new member contains it already.
                    if (member.Membership.JoinedInPass < pass.Number)
                        member.NewlyOwed += debt;
                    return;
                }
                if (parents.TryGetValue(pid, out int parent))
                {
                    pid = parent;
                    continue;
                }
                if (find(pid) is not { } process)
                    return;
                if (process.IsAlive)
                {
                    (int, ulong) key = (pid, process.StartTicks);
                    if (HasMemberAbove(process) && (group.Held.Count < MaxHeld || group.Held.ContainsKey(key)))
                        group.Held[key] = group.Held.GetValueOrDefault(key) + debt;
                    return;
                }
                pid = process.ParentPid;
            }
        }

        bool HasMemberAbove(ListedProcess process)
        {
            for (int i = 0; i < MaxAncestors && process.ParentPid > 0; i++)
            {
                if (members.ContainsKey(process.ParentPid))
                    return true;
                if (find(process.ParentPid) is not { } next)
                    return false;
                process = next;
            }
            return false;
        }
    }
}
