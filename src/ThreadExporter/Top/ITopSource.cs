using ThreadExporter.Client;
using ThreadExporter.Web.Pages;

namespace ThreadExporter.Top;

/// <summary>Where the figures come from: /proc of this host, or the API of a daemon.</summary>
internal interface ITopSource : IDisposable
{
    /// <summary>What is measured, for the first line: this host, or a URL.</summary>
    string Name { get; }

    /// <summary>Something that the reader should know about it; null: nothing.</summary>
    string? Notice { get; }

    /// <summary>Starts to measure in the background.</summary>
    /// <param name="refresh">Time between two readings.</param>
    /// <param name="isQuick">The first reading comes as soon as there is one; else after a whole <paramref name="refresh"/>.</param>
    /// <param name="publish">Receives the readings, from any thread.</param>
    /// <param name="fail">Receives an exception that ends the measurement.</param>
    void Start(TimeSpan refresh, bool isQuick, Action<TopReading> publish, Action<Exception> fail);
}

/// <summary>One refresh.</summary>
/// <param name="Response">What was measured; null with an error.</param>
/// <param name="Error">Why there is nothing new, as one line; null: there is.</param>
internal sealed record TopReading(HotThreadsResponse? Response, string? Error)
{
    /// <summary>The recorded moment that it shows; null: it is live.</summary>
    public RecordedMoment? Recorded { get; init; }
}
