using ThreadExporter.Model;

namespace ThreadExporter.Tests.Model;

public class SaturationTrackerTests
{
    private const long Ms = 1_000_000;
    private const long Window = 100 * Ms;
    private const long Minute = 60_000 * Ms;

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

    [Fact]
    public void A_peak_is_remembered_for_the_window_and_then_forgotten()
    {
        SaturationTracker samples = new();
        // Just after boot.
        long begin = 3 * Ms;
        samples.ObservePeak(0.75, begin, Minute);
        samples.ObservePeak(0.5, begin + 20_000 * Ms, Minute);
        Assert.Equal(0.75, samples.HighestShare(begin + Minute, Minute), 6);
        Assert.Equal(0.5, samples.HighestShare(begin + Minute + 6_000 * Ms, Minute), 6);
        Assert.Equal(0, samples.HighestShare(begin + 2 * Minute, Minute));
    }

    [Fact]
    public void No_share_is_above_one()
    {
        SaturationTracker samples = new();
        samples.ObservePeak(1.04, 0, Minute);
        Assert.Equal(1, samples.HighestShare(0, Minute));
    }

    [Fact]
    public void Another_peak_window_begins_anew_and_nothing_breaks()
    {
        SaturationTracker samples = new();
        long now = 100_000 * Ms;
        foreach (long window in new[] { Minute, 60 * Minute, Minute / 60, Minute })
        {
            samples.ObservePeak(0.25, now, window);
            Assert.Equal(0.25, samples.HighestShare(now, window), 6);
            now += 1000 * Ms;
        }
    }
}
