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
        long begun = Stopwatch.GetTimestamp() - Long;
        // The daemon may have been stopped since.
        Assert.False(Housekeeping.IsStuck(begun, ref seen));
        Assert.True(Housekeeping.IsStuck(begun, ref seen));
        Assert.False(Housekeeping.IsStuck(0, ref seen));
        Assert.False(Housekeeping.IsStuck(begun + 1, ref seen));
        long recent = Stopwatch.GetTimestamp();
        Assert.False(Housekeeping.IsStuck(recent, ref seen));
        Assert.False(Housekeeping.IsStuck(recent, ref seen));
        Assert.False(Housekeeping.IsStuck(0, ref seen));
        Assert.False(Housekeeping.IsStuck(0, ref seen));
    }
}
