using System.Text;
using ThreadExporter.Cgroups;
using ThreadExporter.Matching;

namespace ThreadExporter.Model;

/// <summary>The identity of a group, or of exited processes with the same labels.</summary>
/// <param name="Filter">The name of the filter.</param>
/// <param name="Daemon">Label <c>daemon</c>.</param>
/// <param name="Name">Label <c>pname</c>, as text: names that look the same are the same.</param>
/// <param name="CgroupLabels">The labels that the filter adds, with their values, as one text.</param>
internal readonly record struct GroupKey(string Filter, string Daemon, string Name, string CgroupLabels) : IComparable<GroupKey>
{
    public static GroupKey Of(string filter, string daemon, string name, (string Name, byte[] Value)[] cgroupLabels) =>
        new(filter, daemon, name, string.Join('\n', cgroupLabels.Select(l => $"{l.Name}={Encoding.UTF8.GetString(l.Value)}")));

    public int CompareTo(GroupKey other)
    {
        int result = string.CompareOrdinal(Filter, other.Filter);
        if (result == 0)
            result = string.CompareOrdinal(Daemon, other.Daemon);
        if (result == 0)
            result = string.CompareOrdinal(Name, other.Name);
        return result == 0 ? string.CompareOrdinal(CgroupLabels, other.CgroupLabels) : result;
    }
}

/// <summary>
/// The processes of a filter with <c>group = true</c> that share one set of series. Its members and what is shown of it are written by
/// <c>Series/ProcessGroups</c>, its times by <c>Series/GroupLedger</c>.
/// </summary>
internal sealed class ProcessGroup : SeriesOwner
{
    private CompiledFilter _filter;

    /// <param name="key">Its identity.</param>
    /// <param name="first">Its first member.</param>
    /// <param name="pass">The collection in which it begins, at 0 (<see cref="CollectionPass.Number"/>).</param>
    public ProcessGroup(GroupKey key, WatchedProcess first, long pass)
    {
        Key = key;
        BeganInPass = pass;
        _filter = first.Filter;
        Daemon = Encoding.UTF8.GetBytes(key.Daemon);
        Name = Encoding.UTF8.GetBytes(key.Name);
        CgroupLabels = first.CgroupLabels;
    }

    public GroupKey Key { get; }

    /// <summary>The collection in which it began, at 0 (<see cref="CollectionPass.Number"/>).</summary>
    public long BeganInPass { get; }

    public override CompiledFilter Filter => _filter;

    /// <summary>Its live processes, sorted by pid.</summary>
    public List<WatchedProcess> Processes { get; } = [];

    public override GroupBalance Balance { get; } = new();

    public override long User => Balance.User;

    public override long Kernel => Balance.Kernel;

    public override int LabelsVersion => 1;

    /// <summary>The members, in the order of <see cref="Processes"/>.</summary>
    public List<GroupMember> Members { get; set; } = [];

    /// <summary>Members of the previous collection whose process has exited.</summary>
    public List<GroupMember> Exited { get; } = [];

    /// <summary>Former members whose process is alive, in another group or in none. Bounded.</summary>
    public List<GroupMember> Former { get; } = [];

    /// <summary>
    /// By pid and start of a process that is not a member: CPU time that the group has counted, and that will be in the waited-for time of a member
    /// once this process has exited. Written by <c>Series/GroupDebts</c> only. Bounded.
    /// </summary>
    public Dictionary<(int Pid, ulong StartTicks), CpuTimes> Held { get; } = [];

    /// <summary>When the last member left, CLOCK_MONOTONIC ns; 0: it has members.</summary>
    public long EmptySince { get; set; }

    /// <summary>Takes the filter of the active configuration. Called by <c>Series/ProcessGroups</c> only.</summary>
    public void Use(CompiledFilter filter) => _filter = filter;
}

/// <summary>The CPU ledger of a group. Written by <c>Series/GroupLedger</c> only.</summary>
internal sealed class GroupBalance : CpuBalance
{
    /// <summary>Nanoseconds in user mode, a multiple of the clock tick.</summary>
    public long User { get; set; }

    /// <summary>Nanoseconds in kernel mode, a multiple of the clock tick.</summary>
    public long Kernel { get; set; }
}

/// <summary>A process in a group, and what was booked of it. Created by <c>Series/ProcessGroups</c>; the times are written by <c>Series/GroupLedger</c> and its <c>GroupDebts</c> only.</summary>
internal sealed class GroupMember(WatchedProcess process, GroupMembership membership)
{
    public WatchedProcess Process { get; } = process;

    public GroupMembership Membership { get; } = membership;

    /// <summary>Its own CPU time, as booked.</summary>
    public CpuTimes Own { get; set; }

    /// <summary>CPU time of the children that it has waited for, as booked.</summary>
    public CpuTimes Waited { get; set; }

    /// <summary>The <see cref="CpuBalance.Folded"/> of the process, as booked.</summary>
    public long Folded { get; set; }

    /// <summary>The <see cref="CpuBalance.Transient"/> of the process, as booked.</summary>
    public long Transient { get; set; }

    /// <summary>The <see cref="ProcessBalance.BeforeFirstSeen"/> of the process, as booked.</summary>
    public long BeforeFirstSeen { get; set; }

    /// <summary>
    /// Whether <see cref="Own"/> and <see cref="Waited"/> are those of the process: its <c>stat</c> was read. What was used before counts nowhere, unless
    /// it brings all its time.
    /// </summary>
    public bool HasTimes { get; set; }

    /// <summary>
    /// CPU time of members that have exited, which the group has counted as their own and which will appear in this process's waited-for time.
    /// </summary>
    public CpuTimes Owed { get; set; }

    /// <summary>The part of it that was added in the last settlement.</summary>
    public CpuTimes NewlyOwed { get; set; }
}

/// <summary>The processes behind an owner of series.</summary>
internal static class SeriesOwners
{
    /// <summary>Its live processes, sorted by pid.</summary>
    public static List<WatchedProcess> Processes(this SeriesOwner owner) => owner is ProcessGroup group ? group.Processes : ((WatchedProcess)owner).AsList;

    /// <summary>Finds the cgroups of its live processes, those that could be read.</summary>
    public static void FindCgroups(this SeriesOwner owner, HashSet<CgroupNode> cgroups)
    {
        cgroups.Clear();
        foreach (WatchedProcess process in owner.Processes())
        {
            if (process.Cgroup is { Node: { Reading.IsReadable: true } cgroup })
                cgroups.Add(cgroup);
        }
    }
}
