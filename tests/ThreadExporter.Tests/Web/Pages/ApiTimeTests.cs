using ThreadExporter.Web.Pages;

namespace ThreadExporter.Tests.Web.Pages;

/// <summary><see cref="ApiTime"/>.</summary>
public class ApiTimeTests
{
    [Theory]
    [InlineData("2026-11-27T02:00:00Z", 1_795_744_800_000)]
    [InlineData("2026-11-27t02:00:00z", 1_795_744_800_000)]
    [InlineData("2026-11-27T03:00:00+01:00", 1_795_744_800_000)]
    [InlineData("2026-11-27T03:00:00 01:00", 1_795_744_800_000)]
    [InlineData("2026-11-26T20:30:00-05:30", 1_795_744_800_000)]
    [InlineData("2026-11-27T02:00:00.25Z", 1_795_744_800_250)]
    [InlineData("1795744800", 1_795_744_800_000)]
    [InlineData("1795744800.5", 1_795_744_800_500)]
    [InlineData("0", 0)]
    public void A_time_with_an_offset_or_in_seconds_is_read(string text, long expected)
    {
        Assert.True(ApiTime.TryParse(text, out long milliseconds));
        Assert.Equal(expected, milliseconds);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("now")]
    [InlineData("02:13")]
    [InlineData("2026-11-27")]
    [InlineData("2026-11-27T02:00:00")]
    [InlineData("2026-11-27 02:00:00Z")]
    [InlineData("2026-02-30T02:00:00Z")]
    [InlineData("2026-11-27T24:00:00Z")]
    [InlineData("2026-11-27T02:00:00+0100")]
    [InlineData("2026-11-27T02:00:00+25:00")]
    [InlineData("-1")]
    [InlineData("1e9")]
    [InlineData("1,5")]
    [InlineData("NaN")]
    [InlineData("99999999999999")]
    [InlineData("17957448000000000000000000000000000000000000000000000000000000")]
    public void Anything_else_is_not(string? text) => Assert.False(ApiTime.TryParse(text, out _));

    [Theory]
    [InlineData(1_795_744_800_000, "2026-11-27T02:00:00Z")]
    [InlineData(1_795_744_800_250, "2026-11-27T02:00:00.25Z")]
    public void It_is_written_in_UTC(long milliseconds, string expected) => Assert.Equal(expected, ApiTime.Text(milliseconds));
}
