using ThreadExporter.Matching;

namespace ThreadExporter.Model;

/// <summary>The series of a process. Written by <c>Series/SeriesSelector</c> and its <c>SeriesAssigner</c> only.</summary>
internal sealed class ProcessSelection
{
    /// <summary>The series that the filter asks for, before its <c>top</c>; by tid or by name.</summary>
    public List<ThreadSeries> Candidates { get; } = [];

    /// <summary>How many of them the filter's <c>top</c> leaves.</summary>
    public int Chosen { get; set; }

    /// <summary>The series that are shown, in the order of <see cref="Candidates"/>.</summary>
    public List<ThreadSeries> Shown { get; } = [];

    /// <summary>A new choice was made, and <see cref="Shown"/> is not yet what it says.</summary>
    public bool ShownIsStale { get; set; }

    /// <summary>Every name series it has had, by name; null: none yet.</summary>
    public SortedDictionary<string, ThreadSeries>? NameSeries { get; set; }

    /// <summary>The filter's choice that <see cref="Candidates"/> was made with; null: not made yet.</summary>
    public ThreadSelection? Filter { get; set; }

    /// <summary>The <see cref="ProcessReading.ThreadsVersion"/> that <see cref="Candidates"/> was made from.</summary>
    public long ThreadsVersion { get; set; }
}
