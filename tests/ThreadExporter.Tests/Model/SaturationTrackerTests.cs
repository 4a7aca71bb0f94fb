using ThreadExporter.Model;

namespace ThreadExporter.Tests.Model;

/// <summary><see cref="SaturationTracker"/>: saturated time by windows.</summary>
public class SaturationTrackerTests
{
    private const long Ms = 1_000_000;
    private const long Window = 100 * Ms;

    [Theory]
    // CPU time in each window, in milliseconds.
    [InlineData(new long[] { 60, 100, 100, 40 }, 300)] // 300 ms of saturation that start within a window
    [InlineData(new long[] { 100, 100, 100 }, 300)]
    [InlineData(new long[] { 5, 100, 100, 95, 5 }, 310)]
    [InlineData(new long[] { 80, 80, 80 }, 0)] // never saturated
    [InlineData(new long[] { 80, 80, 100, 80, 80 }, 260)] // only the adjacent windows count with it
    [InlineData(new long[] { 60, 0, 100 }, 100)]
    [InlineData(new long[] { 104, 104 }, 200)] // a tick of the previous window
    public void Saturated_time_covers_saturated_windows_and_the_adjacent_ones(long[] windows, long expected)
    {
        SaturationTracker samples = new();
        foreach (long cpu in windows)
            samples.AddWindow(cpu * Ms, Window, 0.9);
        Assert.Equal(expected * Ms, samples.Saturated);
    }

    [Fact]
    public void A_skipped_window_is_not_adjacent_to_any()
    {
        SaturationTracker samples = new();
        samples.AddWindow(60 * Ms, Window, 0.9);
        samples.SkipWindow();
        samples.AddWindow(100 * Ms, Window, 0.9);
        Assert.Equal(100 * Ms, samples.Saturated);
    }
}
