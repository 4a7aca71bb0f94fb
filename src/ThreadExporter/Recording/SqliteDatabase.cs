using SQLitePCL;
using ThreadExporter.Linux;
using static SQLitePCL.raw;

namespace ThreadExporter.Recording;

/// <summary>An open SQLite database and its statements. Used by one thread; every error is a <see cref="SqliteFailure"/>.</summary>
internal sealed class SqliteDatabase : IDisposable
{
    /// <summary>The file of the library. The distribution's package has it, and keeps it patched.</summary>
    public const string Library = "libsqlite3.so.0";

    private static readonly Lazy<bool> Provider = new(static () =>
    {
        SharedLibrary.Redirect(typeof(SQLite3Provider_sqlite3).Assembly, "sqlite3", Library);
        SetProvider(new SQLite3Provider_sqlite3());
        return true;
    });

    private readonly sqlite3 _database;
    private readonly Dictionary<string, SqliteStatement> _statements = new(StringComparer.Ordinal);

    /// <summary>Opens an existing file. The library is there (<see cref="SharedLibrary.Exists"/>).</summary>
    /// <exception cref="SqliteFailure">It cannot be opened.</exception>
    public SqliteDatabase(string path)
    {
        _ = Provider.Value;
        // Without the library's own locks: one thread uses it.
        int code = sqlite3_open_v2(path, out _database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, null);
        if (code == SQLITE_OK)
            sqlite3_extended_result_codes(_database, 1);
        else
            Dispose();
        SqliteFailure.ThrowIf(code, null);
    }

    /// <summary>Runs a statement without results.</summary>
    public void Execute(string sql)
    {
        using SqliteStatement statement = Make(sql);
        while (statement.Step())
        {
            // A pragma returns what it has set.
        }
    }

    /// <summary>The first column of the first row; 0: there is no row, or it is null.</summary>
    public long Number(string sql)
    {
        SqliteStatement statement = Prepare(sql);
        long value = statement.Step() ? statement.Number(0) : 0;
        statement.Reset();
        return value;
    }

    /// <summary>A statement that stays prepared; it has been reset.</summary>
    public SqliteStatement Prepare(string sql)
    {
        if (!_statements.TryGetValue(sql, out SqliteStatement? statement))
            _statements.Add(sql, statement = Make(sql));
        statement.Reset();
        return statement;
    }

    public void Dispose()
    {
        foreach (SqliteStatement statement in _statements.Values)
            statement.Dispose();
        _statements.Clear();
        // It also writes the log into the file and deletes it, and reports nothing when that fails: the next one that opens the file does it.
        _database?.Dispose();
    }

    private SqliteStatement Make(string sql)
    {
        SqliteFailure.ThrowIf(sqlite3_prepare_v2(_database, sql, out sqlite3_stmt statement), _database);
        return new SqliteStatement(_database, statement);
    }
}

/// <summary>A prepared statement. Parameters count from 1, columns from 0.</summary>
internal sealed class SqliteStatement(sqlite3 database, sqlite3_stmt statement) : IDisposable
{
    public SqliteStatement Bind(int parameter, long value)
    {
        SqliteFailure.ThrowIf(sqlite3_bind_int64(statement, parameter, value), database);
        return this;
    }

    public SqliteStatement Bind(int parameter, string value)
    {
        SqliteFailure.ThrowIf(sqlite3_bind_text(statement, parameter, value), database);
        return this;
    }

    public SqliteStatement Bind(int parameter, ReadOnlySpan<byte> value)
    {
        SqliteFailure.ThrowIf(sqlite3_bind_blob(statement, parameter, value), database);
        return this;
    }

    /// <returns>Whether there is a row.</returns>
    public bool Step()
    {
        int code = sqlite3_step(statement);
        if (code is not (SQLITE_ROW or SQLITE_DONE))
        {
            SqliteFailure failure = new(code, sqlite3_errmsg(database).utf8_to_string());
            Reset();
            throw failure;
        }
        return code == SQLITE_ROW;
    }

    /// <summary>Runs a statement without results, and makes it ready for the next time.</summary>
    public void Run()
    {
        Step();
        Reset();
    }

    public long Number(int column) => sqlite3_column_int64(statement, column);

    public string Text(int column) => sqlite3_column_text(statement, column).utf8_to_string() ?? "";

    /// <summary>Valid until the next step.</summary>
    public ReadOnlySpan<byte> Bytes(int column) => sqlite3_column_blob(statement, column);

    // The result is that of the last step, which has been reported.
    public void Reset() => sqlite3_reset(statement);

    public void Dispose() => statement.Dispose();
}

/// <summary>What SQLite reports.</summary>
/// <param name="code">The extended result code.</param>
/// <param name="message">One line.</param>
internal sealed class SqliteFailure(int code, string message) : Exception(message)
{
    private const int PrimaryCode = 0xff;

    /// <summary>The content of the file is not what SQLite has written.</summary>
    public bool IsDamage => (code & PrimaryCode) is SQLITE_CORRUPT or SQLITE_NOTADB;

    /// <summary>There is no space left. The database is as it was, and can be read.</summary>
    public bool IsFull => (code & PrimaryCode) == SQLITE_FULL;

    /// <summary>Another process has it open.</summary>
    public bool IsBusy => (code & PrimaryCode) is SQLITE_BUSY or SQLITE_LOCKED;

    public static void ThrowIf(int code, sqlite3? database)
    {
        if (code != SQLITE_OK)
            throw new SqliteFailure(code, (database is null ? sqlite3_errstr(code) : sqlite3_errmsg(database)).utf8_to_string());
    }
}
