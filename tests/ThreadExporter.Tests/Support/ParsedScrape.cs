using System.Globalization;
using System.Text;

namespace ThreadExporter.Tests.Support;

/// <summary>One sample as written in the text.</summary>
internal sealed record Sample(string Name, IReadOnlyDictionary<string, string> Labels, string Value, string Series)
{
    public double Number => double.Parse(Value, CultureInfo.InvariantCulture);

    /// <summary>A value in seconds as exact nanoseconds. prometheus-net writes small ones with an exponent.</summary>
    public long Nanoseconds => (long)(decimal.Parse(Value, NumberStyles.Float, CultureInfo.InvariantCulture) * 1_000_000_000m);
}

/// <summary>A strict reader of the text format 0.0.4: unknown syntax is an error, and so is a duplicate series.</summary>
internal sealed class ParsedScrape
{
    private readonly Dictionary<string, Sample> _samples = [];

    public IReadOnlyDictionary<string, string> Types { get; private init; } = new Dictionary<string, string>();

    public IEnumerable<Sample> Samples => _samples.Values;

    /// <summary>The samples by their text before the value: name and label set.</summary>
    public IReadOnlyDictionary<string, Sample> Series => _samples;

    /// <summary>The sample of the same series; null when there is none.</summary>
    public Sample? Find(Sample other) => _samples.GetValueOrDefault(other.Series);

    public IEnumerable<Sample> Of(string name) => _samples.Values.Where(s => s.Name == name);

    public double Value(string name, params (string Name, string Value)[] labels) =>
        _samples.Values.Single(s => s.Name == name && labels.All(l => s.Labels.GetValueOrDefault(l.Name) == l.Value)).Number;

    public static ParsedScrape Parse(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        Dictionary<string, string> types = [];
        ParsedScrape exposition = new() { Types = types };
        string family = "";
        HashSet<string> closed = [];
        foreach (string line in text[..^1].Split('\n'))
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                string[] words = line.Split(' ');
                Assert.True(types.TryAdd(words[2], words[3]), $"two TYPE lines for {words[2]}");
                closed.Add(family);
                family = words[2];
                continue;
            }
            if (line.StartsWith("# HELP ", StringComparison.Ordinal))
                continue;
            Sample sample = ParseSample(line, out string series);
            Assert.True(sample.Name == family && !closed.Contains(sample.Name), $"{sample.Name} stands outside its family");
            Assert.True(exposition._samples.TryAdd(series, sample), $"duplicate series {series}");
        }
        return exposition;
    }

    private static Sample ParseSample(string line, out string series)
    {
        int at = line.IndexOfAny(['{', ' ']);
        string name = line[..at];
        Dictionary<string, string> labels = [];
        if (line[at] == '{')
        {
            at++;
            while (line[at] != '}')
            {
                int equals = line.IndexOf('=', at);
                string label = line[at..equals];
                Assert.Equal('"', line[equals + 1]);
                at = equals + 2;
                StringBuilder value = new();
                while (line[at] != '"')
                {
                    if (line[at] == '\\')
                    {
                        at++;
                        value.Append(line[at] switch { 'n' => '\n', '\\' => '\\', '"' => '"', char c => throw new FormatException($"escape \\{c} in {line}") });
                    }
                    else
                    {
                        value.Append(line[at]);
                    }
                    at++;
                }
                labels.Add(label, value.ToString());
                at++;
                if (line[at] == ',')
                    at++;
            }
            at++;
        }
        series = line[..at];
        Assert.Equal(' ', line[at]);
        Sample sample = new(name, labels, line[(at + 1)..], series);
        _ = sample.Number;
        return sample;
    }
}
