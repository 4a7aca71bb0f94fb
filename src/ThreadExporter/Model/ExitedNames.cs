using System.Text;

namespace ThreadExporter.Model;

/// <summary>
/// Series of exited threads by shown name; the names beyond the limit share one. A new series is shown with 0 first, so that increase() sees all
/// the rest.
/// </summary>
internal sealed class ExitedNames
{
    /// <summary>The name of the series that the names beyond the limit share.</summary>
    public const string Other = "(other)";

    private const int MaxNames = 64;

    private readonly SortedDictionary<string, ExitedSeries> _series = new(StringComparer.Ordinal);

    /// <summary>The series, in the order of their names.</summary>
    public IReadOnlyCollection<ExitedSeries> Series => _series.Values;

    /// <summary>Creates the series of a name, or the one that all others share.</summary>
    /// <param name="name">The shown name.</param>
    /// <param name="hasRoom">False: the number of samples has reached its limit, so that a new name gets no series of its own.</param>
    public void Create(string name, bool hasRoom)
    {
        if (_series.ContainsKey(name))
            return;
        if (!hasRoom || _series.Count >= MaxNames)
            name = Other;
        _series.TryAdd(name, new ExitedSeries(Encoding.UTF8.GetBytes(name)));
    }

    /// <summary>Adds threads to the series of their name, or to the one that all others share.</summary>
    /// <param name="name">The shown name.</param>
    /// <param name="cpu">Their CPU time, in nanoseconds.</param>
    /// <param name="exits">How many have exited.</param>
    /// <returns>False when no collection has shown the series yet; then nothing is added.</returns>
    public bool TryAdd(string name, long cpu, long exits)
    {
        if ((!_series.TryGetValue(name, out ExitedSeries? series) && !_series.TryGetValue(Other, out series)) || !series.IsShown)
            return false;
        series.Cpu += cpu;
        series.Exits += exits;
        return true;
    }

    /// <summary>A collection has shown the series that exist now.</summary>
    public void Show()
    {
        foreach (ExitedSeries series in _series.Values)
            series.IsShown = true;
    }
}

/// <summary>One label set of the metrics of exited threads.</summary>
/// <param name="name">The shown name, valid UTF-8.</param>
internal sealed class ExitedSeries(byte[] name)
{
    public byte[] Name { get; } = name;

    /// <summary>Nanoseconds.</summary>
    public long Cpu { get; set; }

    /// <summary>Exited threads.</summary>
    public long Exits { get; set; }

    /// <summary>Whether a collection has shown it.</summary>
    public bool IsShown { get; set; }

    /// <summary>Written by <c>Exposition/OwnerLabels</c> only.</summary>
    public RenderedLabels RenderedLabels { get; } = new();
}
