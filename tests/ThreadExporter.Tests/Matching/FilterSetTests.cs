using ThreadExporter.Matching;

namespace ThreadExporter.Tests.Matching;

public sealed class FilterSetTests
{
    [Fact]
    public void Holds_what_was_added_in_any_order_and_beyond_64_rules()
    {
        FilterSet set = FilterSet.Empty.With(70).With(3).With(12).With(3);
        Assert.Equal("{3,12,70}", set.ToString());
        Assert.True(set.Contains(70));
        Assert.False(set.Contains(4));
        Assert.False(FilterSet.Empty.Contains(0));
        Assert.True(FilterSet.Empty.IsEmpty);
        Assert.Equal("{}", FilterSet.Empty.ToString());
    }

    [Fact]
    public void Is_equal_by_content()
    {
        Assert.Equal(FilterSet.Empty.With(1).With(2), FilterSet.Empty.With(2).With(1));
        Assert.Equal(FilterSet.Empty.With(1).With(2).GetHashCode(), FilterSet.Empty.With(2).With(1).GetHashCode());
        Assert.NotEqual(FilterSet.Empty.With(1), FilterSet.Empty.With(2));
        Assert.NotEqual(FilterSet.Empty, FilterSet.Empty.With(2));
        Assert.Equal(FilterSet.Empty, default);
    }
}
