namespace ThreadExporter.Model;

/// <summary>The series of an owner. Written by <c>Series/SeriesSelector</c> and its <c>SeriesAssigner</c> only.</summary>
internal sealed class SeriesSelection
{
    /// <summary>The <see cref="SeriesOwner.MembersVersion"/> that <see cref="Candidates"/> was made from.</summary>
    public long MembersVersion { get; set; }

    /// <summary>The series that the filter selects, before its <c>top</c>; ordered by tid or by name.</summary>
    public List<ThreadSeries> Candidates { get; } = [];

    /// <summary>How many of <see cref="Candidates"/> are left by the filter's <c>top</c>.</summary>
    public int Chosen { get; set; }

    /// <summary>The series that are shown, in the order of <see cref="Candidates"/>.</summary>
    public List<ThreadSeries> Shown { get; } = [];

    /// <summary>Grows when <see cref="Shown"/> changes.</summary>
    public long ShownVersion { get; set; }

    /// <summary>The choice has changed, and <see cref="Shown"/> has not been updated yet.</summary>
    public bool ShownIsStale { get; set; }

    /// <summary>Threads of a group have no series because it has too many names.</summary>
    public bool LacksNames { get; set; }

    /// <summary>The name series that it has or has had, by name; null: none yet.</summary>
    public SortedDictionary<string, ThreadSeries>? NameSeries { get; set; }
}
