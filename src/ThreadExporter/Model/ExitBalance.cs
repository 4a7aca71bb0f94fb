namespace ThreadExporter.Model;

/// <summary>
/// What exit records say of an owner's threads, to be booked at the next settlement, and the series that take it. <see cref="Pending"/> is
/// written by <c>Collection/ExitCollector</c>, which fills it, and <c>Series/ExitLedger</c>, which books it; the series by <c>Series/ExitLedger</c> only.
/// </summary>
internal sealed class ExitBalance
{
    /// <summary>Exited threads whose CPU time has not been booked.</summary>
    public ExitSums Pending { get; } = new();

    /// <summary>The series of exited threads, for filters with <c>detail = "tid"</c>.</summary>
    public ExitedNames Names { get; } = new();
}
