using ThreadExporter.Top;
using static ThreadExporter.Tests.Support.Rig;

namespace ThreadExporter.Tests.Top;

/// <summary><see cref="LocalSource"/>: how often it reads. What it shows is in TopCommandTests.</summary>
public class LocalSourceTests
{
    /// <summary>A row covers five snapshots.</summary>
    [Theory]
    [InlineData(250, 250)]
    [InlineData(1000, 1000)]
    [InlineData(2000, 1000)]
    [InlineData(5000, 1000)]
    [InlineData(10_000, 2000)]
    [InlineData(60_000, 12_000)]
    public void The_figures_cover_five_seconds_or_the_whole_time_between_two_refreshes(long refresh, long interval) =>
        Assert.Equal(interval * Ms, LocalSource.SnapshotInterval(refresh * Ms));
}
