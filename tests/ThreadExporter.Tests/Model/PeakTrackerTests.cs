using ThreadExporter.Model;

namespace ThreadExporter.Tests.Model;

/// <summary><see cref="PeakTracker"/>: how long a peak is kept.</summary>
public class PeakTrackerTests
{
    private const long Ms = 1_000_000;
    private const long Minute = 60_000 * Ms;

    [Fact]
    public void A_peak_is_remembered_for_the_window_and_then_forgotten()
    {
        PeakTracker peak = new();
        // Shortly after boot.
        long start = 3 * Ms;
        peak.Observe(0.75, start, Minute);
        peak.Observe(0.5, start + 20_000 * Ms, Minute);
        Assert.Equal(0.75, peak.HighestShare(start + Minute, Minute), 6);
        Assert.Equal(0.5, peak.HighestShare(start + Minute + 6_000 * Ms, Minute), 6);
        Assert.Equal(0, peak.HighestShare(start + 2 * Minute, Minute));
    }

    [Fact]
    public void No_share_is_above_one()
    {
        PeakTracker peak = new();
        peak.Observe(1.04, 0, Minute);
        Assert.Equal(1, peak.HighestShare(0, Minute));
    }

    [Fact]
    public void Another_peak_window_starts_again()
    {
        PeakTracker peak = new();
        long now = 100_000 * Ms;
        foreach (long window in new[] { Minute, 60 * Minute, Minute / 60, Minute })
        {
            peak.Observe(0.25, now, window);
            Assert.Equal(0.25, peak.HighestShare(now, window), 6);
            now += 1000 * Ms;
        }
    }
}
