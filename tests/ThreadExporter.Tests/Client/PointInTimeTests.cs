using Microsoft.Extensions.Time.Testing;
using ThreadExporter.Client;

namespace ThreadExporter.Tests.Client;

/// <summary><see cref="PointInTime"/>: the times of <c>--at</c>, <c>--from</c> and <c>--to</c>.</summary>
public class PointInTimeTests
{
    private static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");

    [Theory]
    [InlineData("02:13", "2026-11-27 02:13:00 +01:00")]
    [InlineData("2:13", "2026-11-27 02:13:00 +01:00")]
    [InlineData("02:13:20", "2026-11-27 02:13:20 +01:00")]
    [InlineData("09:30", "2026-11-27 09:30:00 +01:00")]
    // Later than now is yesterday's.
    [InlineData("09:31", "2026-11-26 09:31:00 +01:00")]
    [InlineData("23:59", "2026-11-26 23:59:00 +01:00")]
    [InlineData("2026-11-26T02:13:00Z", "2026-11-26 02:13:00 +00:00")]
    [InlineData("2026-11-26t02:13:00z", "2026-11-26 02:13:00 +00:00")]
    [InlineData("2026-11-26T02:13:00.25-05:30", "2026-11-26 02:13:00 -05:30")]
    [InlineData("2026-11-26 02:13:00+01:00", "2026-11-26 02:13:00 +01:00")]
    [InlineData("2026-11-26T02:13:00", "2026-11-26 02:13:00 +01:00")]
    [InlineData("2026-07-01 02:13", "2026-07-01 02:13:00 +02:00")]
    [InlineData("1795741980", "2026-11-27 02:13:00 +01:00")]
    [InlineData("1795741980.5", "2026-11-27 02:13:00 +01:00")]
    public void A_time_is_read(string text, string expected)
    {
        Assert.Null(PointInTime.Parse(text, Clock("2026-11-27T09:30:10+01:00"), out DateTimeOffset point));
        Assert.Equal(expected, PointInTime.Show(point));
    }

    [Fact]
    public void Fractions_of_a_second_are_kept()
    {
        Assert.Null(PointInTime.Parse("1795741980.125", Clock("2026-11-27T09:30:10+01:00"), out DateTimeOffset point));
        Assert.Equal("2026-11-27T01:13:00.125Z", PointInTime.ForApi(point));
    }

    [Theory]
    [InlineData("yesterday")]
    [InlineData("")]
    [InlineData("-5")]
    [InlineData("1e9")]
    [InlineData("25:00")]
    [InlineData("02:60")]
    [InlineData("2026-02-30T00:00:00Z")]
    [InlineData("2026-11-26T02:13:00+1:00")]
    [InlineData("99999999999999999999999")]
    [InlineData("02:13 ")]
    public void What_is_no_time_is_refused_with_examples(string text) =>
        Assert.Contains("is not a time: expected 02:13,", PointInTime.Parse(text, Clock("2026-11-27T09:30:10+01:00"), out _), StringComparison.Ordinal);

    [Fact]
    public void The_future_is_refused() =>
        Assert.Equal("2026-11-28 00:00:00 +00:00 is in the future", PointInTime.Parse("2026-11-28T00:00:00Z", Clock("2026-11-27T09:30:10+01:00"), out _));

    /// <summary>On 2026-03-29 the clock went from 02:00 to 03:00.</summary>
    [Fact]
    public void A_time_of_day_that_did_not_exist_today_is_that_of_the_day_before()
    {
        Assert.Null(PointInTime.Parse("02:30", Clock("2026-03-29T12:00:00+02:00"), out DateTimeOffset point));
        Assert.Equal("2026-03-28 02:30:00 +01:00", PointInTime.Show(point));
        Assert.Contains("does not exist in the time zone", PointInTime.Parse("2026-03-29 02:30", Clock("2026-03-29T12:00:00+02:00"), out _), StringComparison.Ordinal);
    }

    /// <summary>On 2026-10-25 the clock went from 03:00 back to 02:00.</summary>
    [Theory]
    [InlineData("2026-10-25T12:00:00+01:00", "2026-10-25 02:30:00 +01:00")]
    [InlineData("2026-10-25T02:40:00+02:00", "2026-10-25 02:30:00 +02:00")]
    [InlineData("2026-10-25T02:10:00+01:00", "2026-10-25 02:30:00 +02:00")]
    public void A_time_of_day_that_was_there_twice_is_the_last_one(string now, string expected)
    {
        Assert.Null(PointInTime.Parse("02:30", Clock(now), out DateTimeOffset point));
        Assert.Equal(expected, PointInTime.Show(point));
    }

    private static FakeTimeProvider Clock(string now)
    {
        FakeTimeProvider clock = new(DateTimeOffset.Parse(now, System.Globalization.CultureInfo.InvariantCulture));
        clock.SetLocalTimeZone(Berlin);
        return clock;
    }
}
