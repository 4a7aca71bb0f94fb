using System.Text;

namespace ThreadExporter.Exposition;

internal enum MetricType
{
    Counter,
    Gauge,
}

/// <summary>A metric family: its HELP, TYPE and UNIT lines, and the label names of its samples.</summary>
internal sealed record MetricFamily
{
    private readonly byte[] _textHead;
    private readonly byte[] _openMetricsHead;

    /// <param name="name">The sample's name; counters end in <c>_total</c>.</param>
    /// <param name="type">Counter or gauge.</param>
    /// <param name="help">One sentence, units included.</param>
    /// <param name="labels">Label names in the order in which they are written.</param>
    public MetricFamily(string name, MetricType type, string help, params string[] labels)
    {
        Name = name;
        Type = type;
        Help = help;
        Labels = labels;
        Utf8Name = Encoding.UTF8.GetBytes(name);
        _textHead = Encoding.UTF8.GetBytes($"# HELP {name} {help}\n# TYPE {name} {TypeName}\n");
        // OpenMetrics 1.0.0: a counter's family name is the sample's without _total, and UNIT is the family name's suffix.
        string family = type == MetricType.Counter ? name[..^"_total".Length] : name;
        string unit = Array.Find(["seconds", "bytes", "ratio"], u => family.EndsWith("_" + u, StringComparison.Ordinal)) is { } u
            ? $"# UNIT {family} {u}\n"
            : "";
        _openMetricsHead = Encoding.UTF8.GetBytes($"# HELP {family} {help}\n# TYPE {family} {TypeName}\n{unit}");
    }

    public string Name { get; }
    public MetricType Type { get; }
    public string Help { get; }
    public IReadOnlyList<string> Labels { get; }
    public byte[] Utf8Name { get; }
    public string TypeName => Type == MetricType.Counter ? "counter" : "gauge";

    /// <summary>The HELP, TYPE and UNIT lines, in UTF-8; UNIT in OpenMetrics only.</summary>
    public ReadOnlySpan<byte> Head(bool openMetrics) => openMetrics ? _openMetricsHead : _textHead;
}
