using ThreadExporter.Linux;
using ThreadExporter.Matching;

namespace ThreadExporter.Model;

/// <summary>
/// What collections report: reads of /proc that failed, by the reasons of <c>thread_exporter_read_errors_total</c>, and warnings to log.
/// </summary>
internal sealed class CollectionDiagnostics(TimeProvider time)
{
    /// <summary>The process or thread had exited, or the file did not exist.</summary>
    public long Gone { get; private set; }

    /// <summary>No permission.</summary>
    public long Denied { get; private set; }

    /// <summary>The file does not have the expected format, or a number is out of range.</summary>
    public long Malformed { get; private set; }

    /// <summary>Any other error, for example no free descriptor.</summary>
    public long Other { get; private set; }

    /// <summary>There is no permission to read <c>io</c> of a watched thread.</summary>
    public RecurringWarning IoDenied { get; } = new(time);

    private List<string> _warnings = [];

    /// <summary>Queues a line to be logged as a warning. For conditions that last, see <see cref="RecurringWarning"/>.</summary>
    public void Warn(string warning) => _warnings.Add(warning);

    /// <summary>The lines queued since the last call.</summary>
    public IReadOnlyList<string> TakeWarnings()
    {
        IReadOnlyList<string> taken = _warnings;
        _warnings = [];
        return taken;
    }

    /// <summary>Counts a read by its result; <see cref="ReadStatus.Ok"/> is not counted.</summary>
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
