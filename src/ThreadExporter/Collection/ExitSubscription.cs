using ThreadExporter.Configuration;
using ThreadExporter.Netlink;
using ThreadExporter.Procfs;
using ThreadExporter.Settings;

namespace ThreadExporter.Collection;

/// <summary>
/// The subscription to the kernel's exit records: when it is opened and closed, what it costs, what is lost. Everything but <see cref="Open"/> and
/// <see cref="TakeNotice"/> is called with the collection gate held.
/// </summary>
internal sealed class ExitSubscription : IDisposable
{
    // Records come for every thread of the host.
    private const double LargestShare = 0.02;
    private const long CostWindow = 10_000_000_000;
    private const long Pause = 60_000_000_000;

    private static readonly TimeSpan Budget = TimeSpan.FromMilliseconds(200);

    private ExitRecordListener? _listener;
    private ExitRecordListener? _opened;
    private ConfigSnapshot? _triedWith;
    private string? _notice;
    private bool _isTooExpensive;
    private bool _hasFailed;
    private Func<List<ExitRecord>, bool>? _simulated;
    private long _lost;
    private long _lostBefore;
    private long _withoutProcess;
    private long _cost;
    private long _costSince;
    private long _pausedUntil;

    /// <summary>Whether records arrive.</summary>
    public bool IsOpen => _listener is not null || _simulated is not null;

    /// <summary>Records that were lost since the start: the kernel had no room for them, or they could not be read.</summary>
    public long Lost => _lostBefore + _lost;

    /// <summary>A line to log, once after each change; null: nothing has changed.</summary>
    /// <param name="isWarning">Whether it is a warning.</param>
    public string? TakeNotice(out bool isWarning)
    {
        isWarning = _triedWith?.Config.Collector.Exits == ExitsMode.On && !IsOpen;
        return Interlocked.Exchange(ref _notice, null);
    }

    /// <summary>Whether this process would get records, in a line for a person.</summary>
    public static string Check(ExitsMode mode)
    {
        if (mode == ExitsMode.Off)
            return "exit records: off (collector.exits)";
        if (!ExitRecordListener.TryOpen(out ExitRecordListener? listener, out string reason))
            return $"{(mode == ExitsMode.On ? "warning: " : "")}exit records: not available to this user: {reason}; see docs/install.md";
        listener.Dispose();
        return "exit records: available";
    }

    /// <summary>
    /// Subscribes when the configuration wants it and it is not done yet. It takes some milliseconds, so it is called without the gate, by one
    /// thread only.
    /// </summary>
    public void Open(ConfigSnapshot snapshot, ProcfsRoot root, long now)
    {
        if (snapshot.Config.Collector.Exits == ExitsMode.Off || _listener is not null || Volatile.Read(ref _opened) is not null || now < Volatile.Read(ref _pausedUntil))
            return;
        // Once for each configuration: a running process does not get a capability.
        if (ReferenceEquals(_triedWith, snapshot) && !_isTooExpensive)
            return;
        _hasFailed &= ReferenceEquals(_triedWith, snapshot);
        _triedWith = snapshot;
        string reason = "/proc belongs to another pid namespace";
        if (root.SharesPidNamespace && ExitRecordListener.TryOpen(out ExitRecordListener? listener, out reason))
        {
            Volatile.Write(ref _opened, listener);
            _notice = _isTooExpensive && !_hasFailed ? null : "Exit records are available: threads that exit between scrapes have names";
            _hasFailed = false;
        }
        else
        {
            _notice = _hasFailed ? null : $"Exit records are not available: {reason}. Threads that exit between scrapes have no names";
            _hasFailed = true;
            // After a pause it may be a lack of memory or of descriptors, so it is tried again.
            Volatile.Write(ref _pausedUntil, now + Pause);
        }
    }

    /// <summary>For tests: uses other records than the kernel's.</summary>
    /// <param name="drain">Adds the records that wait; false: some are missing.</param>
    public void Simulate(Func<List<ExitRecord>, bool> drain) => _simulated = drain;

    /// <summary>Takes over a subscription that was opened, or ends it when the configuration does not want it any more.</summary>
    /// <returns>False: some records of the threads that have exited may be missing.</returns>
    public bool Update(ConfigSnapshot snapshot, long now)
    {
        bool isComplete = true;
        if (Volatile.Read(ref _opened) is { } opened)
        {
            (_listener, _opened, _cost, _costSince) = (opened, null, 0, now);
            isComplete = false;
        }
        if (_listener is not null && snapshot.Config.Collector.Exits == ExitsMode.Off)
            Close();
        return isComplete;
    }

    /// <summary>Takes the records that wait.</summary>
    /// <returns>False: some are missing.</returns>
    public bool Drain(List<ExitRecord> into)
    {
        if (_simulated is not null)
            return _simulated(into);
        if (_listener is not { } listener)
            return false;
        bool isComplete = listener.Drain(into, Budget);
        // Older kernels name the process in an event of its own, which may be lost, too.
        foreach (ExitRecord record in into)
            _withoutProcess += record.Tgid == 0 ? 1 : 0;
        long lost = listener.Lost + listener.Malformed + _withoutProcess;
        isComplete &= lost == _lost;
        _lost = lost;
        return isComplete;
    }

    /// <summary>Adds CPU time that the records have cost. Above a share of a core the subscription is closed for a while.</summary>
    /// <param name="cpu">Nanoseconds.</param>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    public void AddCost(long cpu, long now)
    {
        _cost += cpu;
        if (now - _costSince < CostWindow)
            return;
        if (_cost > LargestShare * (now - _costSince))
        {
            if (!_isTooExpensive)
                _notice = FormattableString.Invariant($"Exit records cost {_cost * 100.0 / (now - _costSince):F1} % of a core, so they are not used for a minute at a time: many threads exit on this host");
            _isTooExpensive = true;
            Volatile.Write(ref _pausedUntil, now + Pause);
            Close();
        }
        (_cost, _costSince) = (0, now);
    }

    public void Dispose()
    {
        Close();
        _opened?.Dispose();
    }

    private void Close()
    {
        _listener?.Dispose();
        _listener = null;
        (_lostBefore, _lost, _withoutProcess) = (_lostBefore + _lost, 0, 0);
    }
}
