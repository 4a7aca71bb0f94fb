using ThreadExporter.Configuration;
using ThreadExporter.HotThreads;
using ThreadExporter.Linux;
using ThreadExporter.Recording;

namespace ThreadExporter.Tests.Recording;

/// <summary>A directory for a database, and intervals to put into it. Without SQLite the test is skipped.</summary>
internal sealed class RecorderFolder : IDisposable
{
    public const long Second = 1_000_000_000;

    /// <summary>2026-11-27T02:00:00Z.</summary>
    public const long Start = 1_795_744_800_000;

    public static readonly RecorderConfig Config = new();

    public RecorderFolder() => Assert.SkipUnless(SharedLibrary.Exists(SqliteDatabase.Library), $"needs {SqliteDatabase.Library} (Debian: libsqlite3-0)");

    public string Path { get; } = Directory.CreateTempSubdirectory("te-recorder-").FullName;

    public string Database => System.IO.Path.Combine(Path, "recorder.db");

    /// <summary>Files that were moved aside.</summary>
    public string[] Aside => Directory.GetFiles(Path, "recorder.db.damaged-*Z");

    public DatabaseFile File => new(Database, TimeProvider.System);

    /// <summary>Opens the database as the recorder does.</summary>
    public RecorderStore Open()
    {
        DatabaseFile file = File;
        file.Prepare(out _);
        return new RecorderStore(file);
    }

    /// <summary>The n-th interval of five seconds.</summary>
    public static HotInterval Interval(long number, params HotThreadRow[] rows) => new(Start + 5000 * number, 5 * Second, 1, 10, rows.Sum(r => r.Cpu), rows.Sum(r => r.Wait ?? 0), rows);

    public static HotProcessRow Process(int pid = 100, string name = "daemon", long cpu = 3 * Second) =>
        new(pid, name, name + ".0", "filter", 10, cpu, cpu, 0, [], HasClock: true, IsKernelThread: false);

    public static HotThreadRow Row(int tid = 101, string name = "worker", long cpu = 2 * Second, long? wait = 0, Verdict verdict = Verdict.Running, string reason = "", HotProcessRow? process = null) =>
        new(process ?? Process(), tid, name, 'R', cpu, wait, 0, 0, null, [], verdict, reason);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
