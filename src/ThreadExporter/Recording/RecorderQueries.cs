using ThreadExporter.HotThreads;

namespace ThreadExporter.Recording;

/// <summary>Reads recorded intervals. Used by the recorder's thread only. Times are in milliseconds since 1970.</summary>
internal sealed class RecorderQueries(SqliteDatabase database)
{
    private const long Microsecond = 1000;

    // The order of Interval.
    private const string Columns = "id, segment, started, ended, length, processes, threads, cpu, wait";

    private readonly Dictionary<int, string> _texts = [];
    private long _segment = -1;

    /// <summary>The times that are recorded; null: nothing is.</summary>
    public RecordedRange? Range()
    {
        SqliteStatement last = database.Prepare("SELECT ended FROM interval ORDER BY ended DESC LIMIT 1");
        if (!last.Step())
            return null;
        long to = last.Number(0);
        last.Reset();
        return new RecordedRange(database.Number("SELECT started FROM interval ORDER BY ended LIMIT 1"), to);
    }

    /// <summary>The interval that a time is in, or the nearest one.</summary>
    /// <param name="time">The time.</param>
    /// <param name="tolerance">How far it may be away, in milliseconds; the interval's own length is always allowed.</param>
    /// <returns>Null: there is none so near.</returns>
    public HotInterval? At(long time, long tolerance)
    {
        HotInterval? after = First(database.Prepare($"SELECT {Columns} FROM interval WHERE ended >= ? ORDER BY ended LIMIT 1").Bind(1, time));
        HotInterval? before = after?.From <= time ? null
            : First(database.Prepare($"SELECT {Columns} FROM interval WHERE ended < ? ORDER BY ended DESC LIMIT 1").Bind(1, time));
        HotInterval? nearest = after is null || (before is not null && time - before.To < after.From - time) ? before : after;
        if (nearest is null)
            return null;
        long distance = Math.Max(nearest.From - time, time - nearest.To);
        return distance <= Math.Max(tolerance, nearest.To - nearest.From) ? nearest : null;
    }

    /// <summary>The sums of intervals, from old to new, without their threads.</summary>
    public IEnumerable<RecordedSums> Sums(RecordedRange range)
    {
        SqliteStatement statement = database.Prepare("SELECT started, ended, length, cpu, wait, peak FROM interval WHERE ended > ? AND started < ? ORDER BY ended")
            .Bind(1, range.From).Bind(2, range.To);
        try
        {
            while (statement.Step())
            {
                yield return new RecordedSums(new RecordedRange(statement.Number(0), statement.Number(1)), statement.Number(2) * Microsecond, statement.Number(3) * Microsecond,
                    statement.Number(4) * Microsecond, statement.Number(5));
            }
        }
        finally
        {
            statement.Reset();
        }
    }

    /// <summary>The intervals that end in a range, with their threads, in the order in which they were recorded.</summary>
    public IEnumerable<HotInterval> Intervals(RecordedRange range)
    {
        SqliteStatement statement = database.Prepare($"SELECT {Columns} FROM interval WHERE ended > ? AND started < ? ORDER BY id").Bind(1, range.From).Bind(2, range.To);
        try
        {
            while (statement.Step())
                yield return Interval(statement);
        }
        finally
        {
            statement.Reset();
        }
    }

    private HotInterval? First(SqliteStatement statement)
    {
        HotInterval? interval = statement.Step() ? Interval(statement) : null;
        statement.Reset();
        return interval;
    }

    private HotInterval Interval(SqliteStatement statement)
    {
        if (statement.Number(1) != _segment)
        {
            _segment = statement.Number(1);
            _texts.Clear();
        }
        long length = statement.Number(4) * Microsecond;
        SqliteStatement rows = database.Prepare("SELECT data FROM rows WHERE interval = ?").Bind(1, statement.Number(0));
        if (!rows.Step())
            throw new InvalidDataException("an interval has no rows");
        HotInterval interval = new(statement.Number(3), length, (int)statement.Number(5), (int)statement.Number(6), statement.Number(7) * Microsecond, statement.Number(8) * Microsecond,
            IntervalCodec.Read(rows.Bytes(0), length, TextOf));
        rows.Reset();
        return interval;
    }

    private string TextOf(int number)
    {
        if (_texts.TryGetValue(number, out string? text))
            return text;
        SqliteStatement statement = database.Prepare("SELECT value FROM text WHERE segment = ? AND id = ?").Bind(1, _segment).Bind(2, number);
        if (!statement.Step())
            throw new InvalidDataException("a text is missing");
        _texts.Add(number, text = statement.Text(0));
        statement.Reset();
        return text;
    }
}

/// <summary>A range of times, in milliseconds since 1970.</summary>
/// <param name="From">Its start.</param>
/// <param name="To">Its end.</param>
internal readonly record struct RecordedRange(long From, long To);

/// <summary>The sums of one interval.</summary>
/// <param name="Time">When it was.</param>
/// <param name="Length">Nanoseconds, by CLOCK_MONOTONIC.</param>
/// <param name="Cpu">CPU time of the watched processes, in nanoseconds.</param>
/// <param name="Wait">Time that their threads waited for a CPU, in nanoseconds.</param>
/// <param name="Peak">The largest share that a thread used, in thousandths of a core.</param>
internal readonly record struct RecordedSums(RecordedRange Time, long Length, long Cpu, long Wait, long Peak);
