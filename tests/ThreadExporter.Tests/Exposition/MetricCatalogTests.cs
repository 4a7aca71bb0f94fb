using System.Text.RegularExpressions;
using ThreadExporter.Exposition;
using ThreadExporter.Tests.Support;

namespace ThreadExporter.Tests.Exposition;

/// <summary><see cref="MetricCatalog"/>: complete, documented, and with names that follow the conventions of Prometheus.</summary>
public partial class MetricCatalogTests
{
    [Fact]
    public void The_docs_name_every_metric_with_its_type_and_no_other()
    {
        Dictionary<string, string> documented = Row().Matches(File.ReadAllText(Repository.File("docs/metrics.md")))
            .ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);
        Assert.Equal(MetricCatalog.All.ToDictionary(f => f.Name, f => f.TypeName), documented);
    }

    [Fact]
    public void The_docs_name_every_label()
    {
        string docs = File.ReadAllText(Repository.File("docs/metrics.md"));
        foreach (string label in MetricCatalog.All.SelectMany(f => f.Labels))
            Assert.Contains($"`{label}`", docs, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_follow_the_conventions_of_Prometheus()
    {
        foreach (MetricFamily family in MetricCatalog.All)
        {
            Assert.Matches("^[a-z_]+$", family.Name);
            Assert.Equal(family.Type == MetricType.Counter, family.Name.EndsWith("_total", StringComparison.Ordinal));
            Assert.EndsWith(".", family.Help, StringComparison.Ordinal);
            Assert.DoesNotContain('\\', family.Help);
        }
    }

    [Fact]
    public void The_list_contains_every_family_once() =>
        Assert.Equal(
            typeof(MetricCatalog).GetFields().Select(f => f.GetValue(null)).OfType<MetricFamily>().OrderBy(f => f.Name, StringComparer.Ordinal),
            MetricCatalog.All.OrderBy(f => f.Name, StringComparer.Ordinal));

    [GeneratedRegex(@"^\| `([a-z_]+)` \| (counter|gauge) \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
