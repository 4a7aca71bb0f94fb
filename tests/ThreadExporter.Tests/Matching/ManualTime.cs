namespace ThreadExporter.Tests.Matching;

/// <summary>A clock that changes only when it is moved.</summary>
internal sealed class ManualTime : TimeProvider
{
    private long _ticks = 1000;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _ticks;

    public void Advance(TimeSpan by) => _ticks += by.Ticks;
}
