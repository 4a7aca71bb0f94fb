using System.Buffers;
using ThreadExporter.HotThreads;

namespace ThreadExporter.Recording;

/// <summary>
/// The database of recorded intervals: writes them and keeps within the bounds. Used by the recorder's thread only. docs/decisions/0017 explains the
/// tables and the bounds.
/// </summary>
internal sealed class RecorderStore : IDisposable
{
    private const int PageSize = 4096;
    private const long Microsecond = 1000, Millisecond = 1_000_000;

    /// <summary>A part of what is kept by which the bounds are exceeded before the excess is deleted, all at once.</summary>
    private const int Slack = 64;

    // A segment has a dictionary of its own, so that texts go when their intervals go.
    private const int MostIntervals = 720, MostTexts = 20_000;

    // Out of the size that the database may have. A quarter of it is for pages that are free, a quarter for the log until it is written into the file, and the rest
    // for the transaction that does not fit into that any more.
    private const long LeastReserve = 256 * 1024, MostReserve = 4 * 1024 * 1024;
    private const int PartsOfReserve = 4;

    private const string Tables = """
        CREATE TABLE interval(id INTEGER PRIMARY KEY, segment INTEGER NOT NULL, recorded INTEGER NOT NULL, started INTEGER NOT NULL, ended INTEGER NOT NULL,
            length INTEGER NOT NULL, processes INTEGER NOT NULL, threads INTEGER NOT NULL, cpu INTEGER NOT NULL, wait INTEGER NOT NULL, peak INTEGER NOT NULL);
        CREATE INDEX interval_ended ON interval(ended);
        CREATE TABLE rows(interval INTEGER PRIMARY KEY, data BLOB NOT NULL);
        CREATE TABLE text(segment INTEGER NOT NULL, id INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY(segment, id)) WITHOUT ROWID;
        """;

    private readonly SqliteDatabase _database;
    private readonly DatabaseFile _file;
    private readonly (ulong Device, ulong Inode) _identity;
    private readonly Dictionary<string, int> _texts = new(StringComparer.Ordinal);
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private long _segment;
    private int _intervals;
    private long _recorded;
    private long _oldestRecorded;
    private long _maxSize;

    /// <summary>Opens the database, or makes its tables in an empty file.</summary>
    /// <param name="file">The file, prepared.</param>
    /// <exception cref="SqliteFailure">It cannot be opened, or is damaged.</exception>
    public RecorderStore(DatabaseFile file)
    {
        _file = file;
        _database = new SqliteDatabase(file.Path);
        _identity = file.Identity;
        try
        {
            Open();
        }
        catch
        {
            _database.Dispose();
            throw;
        }
    }

    /// <summary>What the tables are read with.</summary>
    public SqliteDatabase Database => _database;

    /// <summary>Whether the file that was opened is still the one with its path.</summary>
    public bool IsInPlace => _file.Identity == _identity;

    /// <summary>Bytes of the file and of its log.</summary>
    public long Bytes => _file.Size();

    /// <summary>Writes an interval in one transaction, and deletes what exceeds the bounds.</summary>
    /// <param name="interval">The interval.</param>
    /// <param name="keep">How much recorded time is kept.</param>
    /// <param name="maxSize">Bytes.</param>
    /// <exception cref="SqliteFailure">It was not written; the database is as it was.</exception>
    public void Write(HotInterval interval, TimeSpan keep, long maxSize)
    {
        SetMaxSize(maxSize);
        if (_intervals >= MostIntervals || _texts.Count >= MostTexts)
            StartSegment();
        _database.Execute("BEGIN IMMEDIATE");
        try
        {
            Insert(interval);
            DeleteOlderThan(_recorded - (long)keep.TotalMilliseconds, (long)(keep / Slack).TotalMilliseconds);
            _database.Execute("COMMIT");
        }
        catch
        {
            RollBack();
            throw;
        }
        Shrink();
    }

    public void Dispose() => _database.Dispose();

    private void Open()
    {
        if (_file.IsEmpty)
            MakeTables();
        // Before anything is read from the log. Alone with the file, SQLite needs no shared memory, which could not be extended safely on a full disk.
        _database.Execute("PRAGMA locking_mode = EXCLUSIVE");
        _database.Execute("PRAGMA cache_size = -256");
        if (_database.Number("PRAGMA application_id") != DatabaseFile.ApplicationId || _database.Number("PRAGMA user_version") != DatabaseFile.SchemaVersion)
            throw new SqliteFailure(SQLitePCL.raw.SQLITE_CORRUPT, "the database has no header of thread-exporter");
        // With this, the end of the process loses nothing that was committed. The end of the machine may lose what was committed since the last checkpoint.
        _database.Execute("PRAGMA journal_mode = WAL");
        _database.Execute("PRAGMA synchronous = NORMAL");
        SqliteStatement check = _database.Prepare("PRAGMA quick_check(1)");
        string result = check.Step() ? check.Text(0) : "";
        check.Reset();
        if (result != "ok")
            throw new SqliteFailure(SQLitePCL.raw.SQLITE_CORRUPT, result.Split('\n')[^1]);
        ReadState();
    }

    // Without a log, so that the header of the file is complete once anything is in it.
    private void MakeTables()
    {
        _database.Execute($"PRAGMA page_size = {PageSize}");
        _database.Execute("PRAGMA auto_vacuum = INCREMENTAL");
        _database.Execute("BEGIN IMMEDIATE");
        _database.Execute($"PRAGMA application_id = {DatabaseFile.ApplicationId}");
        _database.Execute($"PRAGMA user_version = {DatabaseFile.SchemaVersion}");
        foreach (string table in Tables.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            _database.Execute(table);
        _database.Execute("COMMIT");
    }

    private void ReadState()
    {
        _recorded = _database.Number("SELECT recorded FROM interval ORDER BY id DESC LIMIT 1");
        _oldestRecorded = _database.Number("SELECT recorded FROM interval ORDER BY id LIMIT 1");
        _segment = Math.Max(_database.Number("SELECT max(segment) FROM text"), _database.Number("SELECT max(segment) FROM interval"));
        StartSegment();
    }

    private void StartSegment()
    {
        _segment++;
        _intervals = 0;
        _texts.Clear();
    }

    private void SetMaxSize(long maxSize)
    {
        if (maxSize == _maxSize)
            return;
        _maxSize = maxSize;
        long pages = Reserve / PartsOfReserve / PageSize;
        _database.Execute($"PRAGMA wal_autocheckpoint = {pages}");
        // The log is cut to this after a checkpoint: after a large deletion it would stay as large.
        _database.Execute($"PRAGMA journal_size_limit = {pages * PageSize}");
    }

    private long Reserve => Math.Clamp(_maxSize / 4, LeastReserve, MostReserve);

    private void Insert(HotInterval interval)
    {
        _buffer.ResetWrittenCount();
        IntervalCodec.Write(interval.Rows, _buffer, NumberOf);
        _recorded += interval.Length / Millisecond;
        // Times in milliseconds and microseconds.
        _database.Prepare("INSERT INTO interval(segment, recorded, started, ended, length, processes, threads, cpu, wait, peak) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .Bind(1, _segment).Bind(2, _recorded).Bind(3, interval.From).Bind(4, interval.To).Bind(5, interval.Length / Microsecond).Bind(6, interval.Processes)
            .Bind(7, interval.Threads).Bind(8, interval.Cpu / Microsecond).Bind(9, interval.Wait / Microsecond).Bind(10, interval.Peak).Run();
        _database.Prepare("INSERT INTO rows(interval, data) VALUES(last_insert_rowid(), ?)").Bind(1, _buffer.WrittenSpan).Run();
        if (_oldestRecorded == 0)
            _oldestRecorded = _recorded;
        _intervals++;
    }

    private int NumberOf(string text)
    {
        if (_texts.TryGetValue(text, out int number))
            return number;
        number = _texts.Count + 1;
        _texts.Add(text, number);
        _database.Prepare("INSERT INTO text(segment, id, value) VALUES(?, ?, ?)").Bind(1, _segment).Bind(2, number).Bind(3, text).Run();
        return number;
    }

    /// <summary>Deletes by recorded time, not by the clock: setting the clock deletes nothing.</summary>
    /// <param name="recorded">Milliseconds of recorded time; what ended before is deleted. The newest interval stays.</param>
    /// <param name="slack">By how many milliseconds it is exceeded first.</param>
    private void DeleteOlderThan(long recorded, long slack)
    {
        if (_oldestRecorded >= recorded - slack)
            return;
        DeleteBefore(_database.Prepare("SELECT id FROM interval WHERE recorded >= ? ORDER BY id LIMIT 1").Bind(1, Math.Min(recorded, _recorded)));
    }

    /// <param name="first">Selects the oldest interval that stays.</param>
    private void DeleteBefore(SqliteStatement first)
    {
        if (!first.Step())
            return;
        long id = first.Number(0);
        first.Reset();
        _database.Prepare("DELETE FROM rows WHERE interval < ?").Bind(1, id).Run();
        _database.Prepare("DELETE FROM interval WHERE id < ?").Bind(1, id).Run();
        _database.Prepare("DELETE FROM text WHERE segment < (SELECT segment FROM interval WHERE id = ?)").Bind(1, id).Run();
        _oldestRecorded = _database.Number("SELECT recorded FROM interval ORDER BY id LIMIT 1");
    }

    /// <summary>Keeps the database within its size. Freed pages are used for the next intervals; the file itself shrinks when it is far too large.</summary>
    private void Shrink()
    {
        long most = (_maxSize - Reserve) / PageSize;
        long pages;
        while ((pages = _database.Number("PRAGMA page_count")) - _database.Number("PRAGMA freelist_count") > most)
        {
            long count = _database.Number("SELECT count(*) FROM interval");
            if (count < 2)
                break;
            SqliteStatement first = _database.Prepare("SELECT id FROM interval ORDER BY id LIMIT 1 OFFSET ?").Bind(1, Math.Min(count - 1, count / Slack + 1));
            _database.Execute("BEGIN IMMEDIATE");
            try
            {
                DeleteBefore(first);
                _database.Execute("COMMIT");
            }
            catch
            {
                RollBack();
                throw;
            }
        }
        if (pages <= most + Reserve / PartsOfReserve / PageSize)
            return;
        // In steps, so that the log does not become as large as the file.
        const int Step = 64;
        for (; pages > most; pages -= Step)
        {
            _database.Execute($"PRAGMA incremental_vacuum({Step})");
            _database.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        }
    }

    private void RollBack()
    {
        try
        {
            _database.Execute("ROLLBACK");
        }
        catch (SqliteFailure)
        {
            // SQLite rolls back by itself after some errors.
        }
        // The dictionary may have texts that were not written.
        ReadState();
    }
}
