using System.Diagnostics;
using ThreadExporter.Hosting;

namespace ThreadExporter.Tests.Hosting;

public class HousekeepingTests
{
    private static readonly long Long = 11 * Stopwatch.Frequency;

    [Fact]
    public void A_work_is_stuck_when_two_ticks_have_seen_it_and_it_began_long_ago()
    {
        long seen = 0;
        long startedAt = Stopwatch.GetTimestamp() - Long;
        // The daemon may have been suspended since.
        Assert.False(Housekeeping.IsStuck(startedAt, ref seen));
        Assert.True(Housekeeping.IsStuck(startedAt, ref seen));
        Assert.False(Housekeeping.IsStuck(0, ref seen));
        Assert.False(Housekeeping.IsStuck(startedAt + 1, ref seen));
        long recent = Stopwatch.GetTimestamp();
        Assert.False(Housekeeping.IsStuck(recent, ref seen));
        Assert.False(Housekeeping.IsStuck(recent, ref seen));
        Assert.False(Housekeeping.IsStuck(0, ref seen));
        Assert.False(Housekeeping.IsStuck(0, ref seen));
    }
}
