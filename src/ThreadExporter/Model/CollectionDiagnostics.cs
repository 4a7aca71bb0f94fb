using ThreadExporter.Linux;
using ThreadExporter.Matching;

namespace ThreadExporter.Model;

/// <summary>Reads of /proc that failed, by the reason that the metric names.</summary>
internal sealed class CollectionDiagnostics(TimeProvider time)
{
    public long Gone { get; private set; }
    public long Denied { get; private set; }
    public long Malformed { get; private set; }
    public long Other { get; private set; }

    /// <summary>Some watched thread's <c>io</c> may not be read.</summary>
    public RecurringWarning IoDenied { get; } = new(time);

    private List<string> _warnings = [];

    /// <summary>Keeps a line that a person should be told. For what lasts, see <see cref="RecurringWarning"/>.</summary>
    public void Warn(string warning) => _warnings.Add(warning);

    /// <summary>The lines kept since the last call.</summary>
    public IReadOnlyList<string> TakeWarnings()
    {
        IReadOnlyList<string> taken = _warnings;
        _warnings = [];
        return taken;
    }

    public void CountReadError(ReadStatus status)
    {
        switch (status)
        {
            case ReadStatus.Ok: break;
            case ReadStatus.Gone: Gone++; break;
            case ReadStatus.Denied: Denied++; break;
            case ReadStatus.Malformed: Malformed++; break;
            default: Other++; break;
        }
    }
}
