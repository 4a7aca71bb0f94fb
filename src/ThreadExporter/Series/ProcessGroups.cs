using System.Collections.Immutable;
using ThreadExporter.Matching;
using ThreadExporter.Model;
using ThreadExporter.Procfs;

namespace ThreadExporter.Series;

/// <summary>
/// The groups of the filters with <c>group = true</c>, and which processes are in which. A group without members is remembered with its
/// counters, so that they continue when its daemon starts again.
/// </summary>
internal sealed class ProcessGroups
{
    /// <summary>How long a group without members is shown. Nanoseconds.</summary>
    private const long ShowEmptyFor = 600_000_000_000;

    /// <summary>Groups without members that are remembered; the one that has been empty longest is dropped first.</summary>
    private const int MaxEmpty = 1000;

    /// <summary>Former members that a group remembers.</summary>
    private const int MaxFormer = 1000;

    private readonly Dictionary<GroupKey, ProcessGroup> _groups = [];
    private readonly List<ProcessGroup> _shown = [];
    private readonly HashSet<ProcessGroup> _changed = [];

    /// <summary>The groups that are shown, those that have been empty for at most ten minutes included; sorted by key.</summary>
    public IReadOnlyList<ProcessGroup> Shown => _shown;

    /// <summary>Puts each process into its group. The processes have been read.</summary>
    /// <param name="watched">All watched processes, sorted by pid.</param>
    /// <param name="filters">The active filters.</param>
    /// <param name="isAlive">Whether a process still exists, watched or not.</param>
    /// <param name="pass">The collection.</param>
    public void Update(IReadOnlyList<WatchedProcess> watched, ImmutableArray<CompiledFilter> filters, Predicate<WatchedProcess> isAlive, in CollectionPass pass)
    {
        foreach (WatchedProcess process in watched)
        {
            if (process.Filter.Config.Group)
                Join(process, pass);
            else
                process.Membership = null;
        }
        foreach (ProcessGroup group in _groups.Values)
            RemoveMembers(group, isAlive, pass);
        foreach (WatchedProcess process in watched)
        {
            // By a flag of its own: a collection that fails later is made again with the same number.
            if (process.Membership is { IsListed: false } membership)
                Add((ProcessGroup)membership.Group, new GroupMember(process, membership));
        }
        foreach (ProcessGroup group in _changed)
        {
            group.Members.Sort(static (a, b) => a.Process.Pid.CompareTo(b.Process.Pid));
            group.Processes.Clear();
            foreach (GroupMember member in group.Members)
                group.Processes.Add(member.Process);
        }
        _changed.Clear();
        ShowOrForget(filters, pass);
    }

    private void Join(WatchedProcess process, in CollectionPass pass)
    {
        GroupMembership? membership = process.Membership;
        if (membership is null || membership.LabelsVersion != process.LabelsVersion || membership.Group.Filter != process.Filter)
        {
            GroupKey key = GroupKey.Of(process.Filter.Name, ProcText.Decode(process.Daemon), ProcText.Decode(process.Name), process.CgroupLabels);
            if (!_groups.TryGetValue(key, out ProcessGroup? group))
                _groups.Add(key, group = new ProcessGroup(key, process, pass.Number));
            if (membership?.Group != group)
            {
                // A group begins at 0, so whatever its first members have used until then counts nowhere.
                bool isNew = process.ListedInUpdate > pass.PreviousUpdate && process.StartTicks >= pass.PreviousTicks;
                process.Membership = membership = new GroupMembership(group, pass.Number, bringsAll: isNew && group.BeganInPass < pass.Number);
            }
            membership.LabelsVersion = process.LabelsVersion;
            group.Use(process.Filter);
        }
        membership.SeenInPass = pass.Number;
    }

    private void RemoveMembers(ProcessGroup group, Predicate<WatchedProcess> isAlive, in CollectionPass pass)
    {
        List<GroupMember> members = group.Members;
        int kept = 0;
        for (int i = 0; i < members.Count; i++)
        {
            GroupMember member = members[i];
            if (member.Process.Membership == member.Membership && member.Membership.SeenInPass == pass.Number)
                members[kept++] = member;
            else if (!isAlive(member.Process))
                group.Exited.Add(member);
            else if (group.Former.Count < MaxFormer)
                group.Former.Add(member);
        }
        if (kept < members.Count)
            Change(group);
        members.RemoveRange(kept, members.Count - kept);
        for (int i = group.Former.Count - 1; i >= 0; i--)
        {
            GroupMember former = group.Former[i];
            if (isAlive(former.Process))
                continue;
            group.Exited.Add(former);
            group.Former.RemoveAt(i);
        }
    }

    private void Add(ProcessGroup group, GroupMember member)
    {
        group.Members.Add(member);
        member.Membership.IsListed = true;
        // It is back. All that it has used will be a debt when it exits.
        group.Former.RemoveAll(f => f.Process.Pid == member.Process.Pid && f.Process.StartTicks == member.Process.StartTicks);
        group.Held.Remove((member.Process.Pid, member.Process.StartTicks));
        Change(group);
    }

    private void Change(ProcessGroup group)
    {
        group.MembersVersion++;
        _changed.Add(group);
    }

    private void ShowOrForget(ImmutableArray<CompiledFilter> filters, in CollectionPass pass)
    {
        _shown.Clear();
        List<ProcessGroup>? empty = null;
        foreach (ProcessGroup group in _groups.Values)
        {
            if (group.Members.Count > 0)
                group.EmptySince = 0;
            else if (group.EmptySince == 0)
                group.EmptySince = pass.StartedAt;
            if (group.Members.Count == 0)
                (empty ??= []).Add(group);
            if (group.Members.Count > 0 || (pass.StartedAt - group.EmptySince < ShowEmptyFor && filters.Any(f => f.Config.Group && f.Name == group.Key.Filter)))
                _shown.Add(group);
            else
                SeriesAssigner.HideAll(group.Selection);
        }
        _shown.Sort(static (a, b) => a.Key.CompareTo(b.Key));
        if (empty is not { Count: > MaxEmpty })
            return;
        empty.Sort(static (a, b) => a.EmptySince.CompareTo(b.EmptySince));
        for (int i = 0; i < empty.Count - MaxEmpty; i++)
        {
            _groups.Remove(empty[i].Key);
            _shown.Remove(empty[i]);
        }
    }
}
