using ThreadExporter.Matching;

namespace ThreadExporter.Tests.Matching;

public sealed class FilterSetTests
{
    internal static IEnumerable<int> IndexesIn(FilterSet set) => Enumerable.Range(0, 100).Where(set.Contains);

    [Fact]
    public void Holds_each_index_once_in_any_order_and_beyond_64_filters()
    {
        Assert.Equal([3, 12, 70], IndexesIn(FilterSet.Empty.With(70).With(3).With(12).With(3)));
        Assert.Equal([1, 2, 70], IndexesIn(FilterSet.Empty.With(1).With(2).Union(FilterSet.Empty.With(70).With(2))));
    }

    [Fact]
    public void Is_empty_by_default()
    {
        Assert.True(FilterSet.Empty.IsEmpty);
        Assert.Empty(IndexesIn(FilterSet.Empty));
        Assert.Empty(IndexesIn(FilterSet.Empty.Union(FilterSet.Empty)));
        Assert.False(FilterSet.Empty.With(0).IsEmpty);
        Assert.Equal([1], IndexesIn(FilterSet.Empty.Union(FilterSet.Empty.With(1))));
    }
}
