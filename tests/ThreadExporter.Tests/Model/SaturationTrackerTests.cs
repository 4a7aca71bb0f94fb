using ThreadExporter.Model;

namespace ThreadExporter.Tests.Model;

public class SaturationTrackerTests
{
    private const long Ms = 1_000_000;
    private const long Window = 100 * Ms;

    [Theory]
    // Cpu of each window, in milliseconds.
    [InlineData(new long[] { 60, 100, 100, 40 }, 300)] // 300 ms of burn that begin in the middle of a window
    [InlineData(new long[] { 100, 100, 100 }, 300)]
    [InlineData(new long[] { 5, 100, 100, 95, 5 }, 310)]
    [InlineData(new long[] { 80, 80, 80 }, 0)] // never at full burn
    [InlineData(new long[] { 80, 80, 100, 80, 80 }, 260)] // only the neighbours count with it
    [InlineData(new long[] { 60, 0, 100 }, 100)]
    [InlineData(new long[] { 104, 104 }, 200)] // a tick of the window before
    public void Saturated_time_is_that_of_full_burn(long[] windows, long expected)
    {
        SaturationTracker samples = new();
        foreach (long cpu in windows)
            samples.AddWindow(cpu * Ms, Window, 0.9);
        Assert.Equal(expected * Ms, samples.Saturated);
    }

    [Fact]
    public void A_window_that_was_not_looked_at_has_no_neighbours()
    {
        SaturationTracker samples = new();
        samples.AddWindow(60 * Ms, Window, 0.9);
        samples.SkipWindow();
        samples.AddWindow(100 * Ms, Window, 0.9);
        Assert.Equal(100 * Ms, samples.Saturated);
    }
}
