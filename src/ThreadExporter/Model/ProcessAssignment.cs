using ThreadExporter.Matching;

namespace ThreadExporter.Model;

/// <summary>What the threads of a process were last assigned to series with. Written by <c>Series/SeriesAssigner</c> only.</summary>
internal sealed class ProcessAssignment
{
    /// <summary>The owner of the series; null: not assigned yet.</summary>
    public SeriesOwner? Owner { get; set; }

    /// <summary>The thread selection of the filter.</summary>
    public ThreadSelection? Filter { get; set; }

    /// <summary>The <see cref="ProcessReading.ThreadsVersion"/>.</summary>
    public long ThreadsVersion { get; set; }
}
