namespace ThreadExporter.Matching;

/// <summary>
/// A condition that may last and come back. It is worth a line of the log when it starts, and again when it starts after it
/// has ended, but one that comes and goes only once in <see cref="Interval"/>.
/// </summary>
internal sealed class RecurringWarning(TimeProvider time)
{
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    private bool _logged;
    private long? _loggedAt;

    public bool IsActive { get; private set; }

    /// <summary>Call it whenever the condition is seen.</summary>
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

    /// <summary>Call it whenever the condition is not seen.</summary>
    /// <returns>Whether it has ended now and its start was logged, so that its end is worth a line, too.</returns>
    public bool End()
    {
        bool logged = _logged;
        _logged = IsActive = false;
        return logged;
    }
}
