using ThreadExporter.Procfs;

namespace ThreadExporter.Collection;

/// <summary>Reads of /proc that failed, by the reason that the metric names.</summary>
internal sealed class ReadErrors
{
    public long Gone { get; private set; }
    public long Denied { get; private set; }
    public long Malformed { get; private set; }
    public long Other { get; private set; }

    public void Count(ReadStatus status)
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
