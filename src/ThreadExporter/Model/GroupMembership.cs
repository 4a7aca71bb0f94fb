namespace ThreadExporter.Model;

/// <summary>
/// That a process is in a group, from the collection in which it joins to the one in which it leaves. Written by <c>Series/ProcessGroups</c> only.
/// </summary>
/// <param name="group">The group.</param>
/// <param name="pass">The collection in which it joined (<see cref="CollectionPass.Number"/>).</param>
/// <param name="bringsAll">
/// It started after the previous collection, so all of its CPU time counts. Otherwise its CPU time up to now counts nowhere.
/// </param>
internal sealed class GroupMembership(SeriesOwner group, long pass, bool bringsAll)
{
    public SeriesOwner Group { get; } = group;

    public long JoinedInPass { get; } = pass;

    public bool BringsAll { get; } = bringsAll;

    /// <summary>The <see cref="SeriesOwner.LabelsVersion"/> of the process that led to this group.</summary>
    public int LabelsVersion { get; set; }

    /// <summary>Whether it is in the list of members.</summary>
    public bool IsListed { get; set; }

    /// <summary>The last collection that found it in this group.</summary>
    public long SeenInPass { get; set; }

    /// <summary>Whether this collection found it in the group for the first time, and its CPU time up to now counts nowhere.</summary>
    public bool IsBaseline(long pass) => JoinedInPass == pass && !BringsAll;
}
