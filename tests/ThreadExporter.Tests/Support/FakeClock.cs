using Microsoft.Extensions.Time.Testing;

namespace ThreadExporter.Tests.Support;

/// <summary>A clock that only the test moves.</summary>
internal static class FakeClock
{
    /// <summary>
    /// Starts at one day, as after a day of uptime. The default, the year 2000, counted in nanoseconds does not fit in a long.
    /// </summary>
    public static FakeTimeProvider Create() => new(DateTimeOffset.MinValue.AddDays(1));
}
