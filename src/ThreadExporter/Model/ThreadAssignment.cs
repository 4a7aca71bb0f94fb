namespace ThreadExporter.Model;

/// <summary>The series of a thread. Written by <c>Series/SeriesAssigner</c> only.</summary>
internal struct ThreadAssignment
{
    /// <summary>The series that takes its time; null: none, its time is folded.</summary>
    public ThreadSeries? Series { get; set; }

    /// <summary>The <see cref="ThreadReading.Name"/> for which it was assigned; null: not assigned yet.</summary>
    public byte[]? Name { get; set; }

    /// <summary>The collection in which <see cref="Series"/> last changed (<see cref="CollectionPass.Number"/>).</summary>
    public long ChangedInPass { get; set; }

    /// <summary>Own series that the thread had under other names or another filter, the latest last; null: none.</summary>
    public List<ThreadSeries>? Previous { get; set; }
}
