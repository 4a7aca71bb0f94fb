namespace ThreadExporter.Systemd.Tests;

public class WatchdogTests
{
    [Theory]
    [InlineData("30000000", "42", 30.0)]
    [InlineData("30000000", null, 30.0)]
    [InlineData("30000000", "", 30.0)]
    [InlineData("1", "42", 0.000001)]
    public void The_timeout_for_this_process(string microseconds, string? pid, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Watchdog.Parse(microseconds, pid, 42));

    [Theory]
    [InlineData(null, null)]
    [InlineData("", null)]
    [InlineData("0", null)]
    [InlineData("-5", null)]
    [InlineData("30s", null)]
    [InlineData("18446744073709551615", null)]
    [InlineData("9223372036854775807", null)]
    [InlineData("30000000", "41")]
    [InlineData("30000000", "4 2")]
    public void No_watchdog(string? microseconds, string? pid) => Assert.Null(Watchdog.Parse(microseconds, pid, 42));

    [Fact]
    public void Outside_systemd_there_is_none()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("WATCHDOG_USEC") is not null, "this test run has a watchdog itself");
        Assert.Null(Watchdog.Timeout);
    }
}
