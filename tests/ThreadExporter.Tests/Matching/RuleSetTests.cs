using ThreadExporter.Matching;

namespace ThreadExporter.Tests.Matching;

public sealed class RuleSetTests
{
    [Fact]
    public void Holds_what_was_added_in_any_order_and_beyond_64_rules()
    {
        var set = RuleSet.Empty.With(70).With(3).With(12).With(3);
        Assert.Equal("{3,12,70}", set.ToString());
        Assert.True(set.Contains(70));
        Assert.False(set.Contains(4));
        Assert.False(RuleSet.Empty.Contains(0));
        Assert.True(RuleSet.Empty.IsEmpty);
        Assert.Equal("{}", RuleSet.Empty.ToString());
    }

    [Fact]
    public void Is_equal_by_content()
    {
        Assert.Equal(RuleSet.Empty.With(1).With(2), RuleSet.Empty.With(2).With(1));
        Assert.Equal(RuleSet.Empty.With(1).With(2).GetHashCode(), RuleSet.Empty.With(2).With(1).GetHashCode());
        Assert.NotEqual(RuleSet.Empty.With(1), RuleSet.Empty.With(2));
        Assert.NotEqual(RuleSet.Empty, RuleSet.Empty.With(2));
        Assert.Equal(RuleSet.Empty, default);
    }
}
