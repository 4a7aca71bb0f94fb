using Microsoft.Extensions.Time.Testing;
using ThreadExporter.Matching;

namespace ThreadExporter.Tests.Matching;

public class RecurringWarningTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void It_is_logged_when_it_starts_and_not_while_it_lasts()
    {
        RecurringWarning warning = new(_time);
        Assert.False(warning.End());
        Assert.True(warning.Start());
        _time.Advance(10 * RecurringWarning.Interval);
        Assert.False(warning.Start());
        Assert.True(warning.IsActive);
        Assert.True(warning.End());
        Assert.False(warning.IsActive);
        Assert.False(warning.End());
        Assert.True(warning.Start());
    }

    [Fact]
    public void A_recurring_one_is_logged_once_per_interval_and_then_if_it_still_lasts()
    {
        RecurringWarning warning = new(_time);
        Assert.True(warning.Start());
        Assert.True(warning.End());
        for (int i = 0; i < 9; i++)
        {
            _time.Advance(RecurringWarning.Interval / 10);
            Assert.False(warning.Start());
            Assert.True(warning.IsActive);
            // Its start was not logged, so neither is its end.
            Assert.False(warning.End());
        }
        Assert.False(warning.Start());
        _time.Advance(RecurringWarning.Interval / 10);
        Assert.True(warning.Start());
    }
}
