using ThreadExporter.Linux;
using ThreadExporter.Procfs;

namespace ThreadExporter.Collection;

/// <summary>
/// The pids in /proc. The kernel searches for them among all threads of the machine, so /proc is listed again only when a process or thread has
/// started or ended.
/// </summary>
internal sealed class PidList(ProcfsRoot root)
{
    // Listed again after a minute in any case: a process that was restored with a chosen tid (clone3(2)) does not move the last pid.
    private const long Interval = 60_000_000_000;

    private List<int> _pids = [];
    private List<int> _next = [];
    private ProcLoadavg? _loadavg;
    private long _listedAt;

    public IReadOnlyList<int> Pids => _pids;

    /// <summary>Lists /proc when that is needed. An error leaves the previous list, because it says nothing about the processes.</summary>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    public ReadStatus Update(long now)
    {
        // Read first: what starts or ends during the listing changes it again.
        ProcLoadavg? loadavg = root.TryReadLoadavg(out ProcLoadavg read) ? read : null;
        if (loadavg is not null && loadavg == _loadavg && now - _listedAt < Interval)
            return ReadStatus.Ok;
        ReadStatus status = root.ReadPids(_next);
        (_loadavg, _listedAt) = (status == ReadStatus.Ok ? loadavg : null, now);
        if (status == ReadStatus.Ok)
            (_pids, _next) = (_next, _pids);
        return status;
    }
}
