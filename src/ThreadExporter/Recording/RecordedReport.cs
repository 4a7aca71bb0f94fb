using ThreadExporter.HotThreads;

namespace ThreadExporter.Recording;

/// <summary>A thread in a report. The same pid and tid with other names is another thread.</summary>
internal readonly record struct ReportKey(int Pid, int Tid, string Process, string Name)
{
    // The ids nearly always tell threads apart, and hashing the names of a day's rows would take most of the time of a report.
    public override int GetHashCode() => HashCode.Combine(Pid, Tid);
}

/// <summary>The sums of a thread. Times are in nanoseconds.</summary>
internal sealed class ReportThread(ReportKey key, string daemon, string filter)
{
    public ReportKey Key => key;

    public string Daemon => daemon;

    public string Filter => filter;

    public long Cpu { get; set; }

    public long Wait { get; set; }

    /// <summary>The largest share of a core in one interval, 0 to 1.</summary>
    public double Peak { get; set; }

    /// <summary>The end of that interval, in milliseconds since 1970.</summary>
    public long PeakAt { get; set; }
}

/// <summary>Intervals, one after the other, in which something was the case for a thread.</summary>
/// <param name="Key">The thread.</param>
/// <param name="Time">The time, in milliseconds since 1970.</param>
/// <param name="Length">The length of its intervals, in nanoseconds.</param>
/// <param name="Cpu">CPU time of the thread, in nanoseconds.</param>
/// <param name="Reason">The sentence of its last interval.</param>
internal sealed record ReportSpan(ReportKey Key, RecordedRange Time, long Length, long Cpu, string Reason);

/// <summary>Adds up intervals, in the order in which they were recorded. Its memory does not grow with their number.</summary>
/// <param name="saturation">The share of a core from which a thread counts as saturated.</param>
/// <param name="rows">Rows of each list at most.</param>
internal sealed class RecordedReport(double saturation, int rows)
{
    // Beyond this the half with the least CPU and waiting time is forgotten: none of them comes near the top any more.
    private const int MostThreads = 50_000;

    private readonly Dictionary<ReportKey, ReportThread> _threads = [];
    private readonly Spans _saturated = new(rows);
    private readonly Spans _throttled = new(rows);

    /// <summary>Nanoseconds of all intervals.</summary>
    public long Length { get; private set; }

    /// <summary>Threads by CPU time, most first.</summary>
    public IEnumerable<ReportThread> ByCpu => _threads.Values.Where(static t => t.Cpu > 0).OrderByDescending(static t => t.Cpu).Take(rows);

    /// <summary>Threads by the time that they waited for a CPU, most first.</summary>
    public IEnumerable<ReportThread> ByWait => _threads.Values.Where(static t => t.Wait > 0).OrderByDescending(static t => t.Wait).Take(rows);

    /// <summary>When threads saturated a core, longest first.</summary>
    public IEnumerable<ReportSpan> Saturated => _saturated.Longest();

    /// <summary>When threads were throttled, longest first.</summary>
    public IEnumerable<ReportSpan> Throttled => _throttled.Longest();

    public void Add(HotInterval interval)
    {
        Length += interval.Length;
        _saturated.Begin();
        _throttled.Begin();
        foreach (HotThreadRow row in interval.Rows)
        {
            ReportKey key = new(row.Process.Pid, row.Tid, row.Process.Name, row.Name);
            if (!_threads.TryGetValue(key, out ReportThread? thread))
                _threads.Add(key, thread = new ReportThread(key, row.Process.Daemon, row.Process.Filter));
            thread.Cpu += row.Cpu;
            thread.Wait += row.Wait ?? 0;
            double share = interval.Length <= 0 ? 0 : Math.Min(1, (double)row.Cpu / interval.Length);
            if (share > thread.Peak)
                (thread.Peak, thread.PeakAt) = (share, interval.To);
            if (share >= saturation)
                _saturated.Extend(key, interval, row);
            if (row.Verdict == Verdict.Throttled)
                _throttled.Extend(key, interval, row);
        }
        if (_threads.Count > MostThreads)
        {
            foreach (ReportThread least in _threads.Values.OrderBy(static t => t.Cpu + t.Wait).Take(MostThreads / 2).ToList())
                _threads.Remove(least.Key);
        }
    }

    private sealed class Spans(int most)
    {
        private const int MostOpen = 10_000;

        private readonly Dictionary<ReportKey, (ReportSpan Span, long Number)> _open = [];
        private readonly List<ReportSpan> _closed = [];
        private long _number;

        /// <summary>The next interval.</summary>
        public void Begin()
        {
            _number++;
            if (_open.Count > MostOpen)
                CloseBefore(_number - 1);
        }

        public void Extend(ReportKey key, HotInterval interval, HotThreadRow row)
        {
            ReportSpan span = new(key, new RecordedRange(interval.From, interval.To), interval.Length, row.Cpu, row.Reason);
            if (_open.TryGetValue(key, out (ReportSpan Span, long Number) open))
            {
                // Not across a time in which nothing was recorded.
                if (open.Number == _number - 1 && Math.Abs(interval.From - open.Span.Time.To) <= interval.To - interval.From)
                    span = span with { Time = new RecordedRange(open.Span.Time.From, interval.To), Length = open.Span.Length + span.Length, Cpu = open.Span.Cpu + span.Cpu };
                else
                    Close(open.Span);
            }
            _open[key] = (span, _number);
        }

        public IEnumerable<ReportSpan> Longest()
        {
            CloseBefore(long.MaxValue);
            return _closed.OrderByDescending(static s => s.Length).ThenBy(static s => s.Time.From).Take(most);
        }

        private void CloseBefore(long number)
        {
            foreach ((ReportKey key, (ReportSpan span, long last)) in _open)
            {
                if (last >= number)
                    continue;
                Close(span);
                _open.Remove(key);
            }
        }

        private void Close(ReportSpan span)
        {
            _closed.Add(span);
            if (_closed.Count < 4 * most)
                return;
            _closed.Sort(static (a, b) => b.Length.CompareTo(a.Length));
            _closed.RemoveRange(most, _closed.Count - most);
        }
    }
}
