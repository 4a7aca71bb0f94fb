namespace ThreadExporter.Matching;

/// <summary>
/// A condition that may last and recur. It is logged when it starts, and again when it starts after it has ended, but at most once per
/// <see cref="Interval"/>.
/// </summary>
internal sealed class RecurringWarning(TimeProvider time)
{
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    private bool _logged;
    private long? _loggedAt;

    public bool IsActive { get; private set; }

    /// <summary>Call it whenever the condition is observed.</summary>
    /// <returns>Whether to log it now.</returns>
    public bool Start()
    {
        IsActive = true;
        if (_logged || (_loggedAt is { } at && time.GetElapsedTime(at) < Interval))
            return false;
        _logged = true;
        _loggedAt = time.GetTimestamp();
        return true;
    }

    /// <summary>Call it whenever the condition is not observed.</summary>
    /// <returns>Whether it has just ended and its start was logged, so that its end is logged too.</returns>
    public bool End()
    {
        bool logged = _logged;
        _logged = IsActive = false;
        return logged;
    }
}
