using ThreadExporter.HotThreads;
using ThreadExporter.Recording;
using static ThreadExporter.Tests.Recording.RecorderFolder;

namespace ThreadExporter.Tests.Recording;

/// <summary><see cref="RecorderStore"/> and <see cref="RecorderQueries"/>: what is written is found again, and the bounds hold.</summary>
public sealed class RecorderStoreTests : IDisposable
{
    private const long MaxSize = 64 * 1024 * 1024;
    private static readonly TimeSpan Day = TimeSpan.FromHours(24);

    private readonly RecorderFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_was_written_is_read_back()
    {
        HotProcessRow process = new(4_000_000, "ceph-osd", "osd.0", "osd", 77, 4_500_000_000, 4_000_000_000, 20_000_000, [], HasClock: false, IsKernelThread: true);
        HotThreadRow[] rows =
        [
            Row(4_000_001, "tp_osd_tp", 4_800_000_000, 100_000_000, Verdict.Busy, "", process),
            Row(4_000_002, "\u202e<b>", 1_000, 5_000_000_000, Verdict.Throttled, "its limit is 0.2 cores", process),
            Row(7, "", 60_000_000, null, Verdict.Idle, "", Process(7)),
        ];
        HotInterval written = Interval(0, rows);
        using (RecorderStore store = _folder.Open())
            store.Write(written, Day, MaxSize);
        using RecorderStore again = _folder.Open();
        HotInterval read = new RecorderQueries(again.Database).At(Start - 1000, 0)!;
        Assert.Equal((written.To, written.Length, written.Processes, written.Threads, written.Cpu, written.Wait), (read.To, read.Length, read.Processes, read.Threads, read.Cpu, read.Wait));
        Assert.Equal(rows.Select(r => (r.Tid, r.Name, r.State, r.Cpu, r.Wait, r.Verdict)), read.Rows.Select(r => (r.Tid, r.Name, r.State, r.Cpu, r.Wait, r.Verdict)));
        Assert.Equal(["it used 96 % of a core: one thread cannot use more than one", "its limit is 0.2 cores", ""], read.Rows.Select(r => r.Reason));
        Assert.Equal(process with { Exited = read.Rows[0].Process.Exited }, read.Rows[0].Process);
        Assert.Same(read.Rows[0].Process, read.Rows[1].Process);
        Assert.Equal((7, true, false), (read.Rows[2].Process.Pid, read.Rows[2].Process.HasClock, read.Rows[2].Process.IsKernelThread));
    }

    [Fact]
    public void A_time_finds_the_interval_that_it_is_in_or_one_that_is_near()
    {
        using RecorderStore store = _folder.Open();
        RecorderQueries queries = new(store.Database);
        Assert.Null(queries.Range());
        Assert.Null(queries.At(Start, 5000));
        foreach (int number in (int[])[1, 2, 100, 101])
            store.Write(Interval(number, Row(number)), Day, MaxSize);
        Assert.Equal(new RecordedRange(Start, Start + 5000 * 101), queries.Range());
        Assert.Equal(1, At(Start));
        Assert.Equal(1, At(Start + 4999));
        Assert.Equal(1, At(Start + 5000));
        Assert.Equal(2, At(Start + 5001));
        // Up to an interval away, on both sides of the gap and of the range.
        Assert.Equal(2, At(Start + 15_000));
        Assert.Null(At(Start + 15_001));
        Assert.Null(At(Start + 99 * 5000 - 5001));
        Assert.Equal(100, At(Start + 99 * 5000 - 5000));
        Assert.Equal(101, At(Start + 101 * 5000 + 5000));
        Assert.Null(At(Start + 101 * 5000 + 5001));
        Assert.Equal(1, At(Start - 5000));
        Assert.Null(At(Start - 5001));
        Assert.Null(At(0));

        int? At(long time) => queries.At(time, 5000)?.Rows[0].Tid;
    }

    [Fact]
    public void Setting_the_clock_deletes_nothing_and_both_times_are_found()
    {
        using RecorderStore store = _folder.Open();
        TimeSpan keep = TimeSpan.FromMinutes(10);
        RecorderQueries queries = new(store.Database);
        for (int i = 0; i < 10; i++)
            store.Write(Interval(i, Row(i)), keep, MaxSize);
        // A year ahead, then ten years back.
        const long Year = 365L * 24 * 3600 * 1000;
        for (int i = 10; i < 20; i++)
            store.Write(Interval(i, Row(i)) with { To = Start + Year + 5000 * i }, keep, MaxSize);
        for (int i = 20; i < 30; i++)
            store.Write(Interval(i, Row(i)) with { To = Start - 10 * Year + 5000 * i }, keep, MaxSize);
        Assert.Equal(30, store.Database.Number("SELECT count(*) FROM interval"));
        Assert.Equal(5, queries.At(Start + 5000 * 5, 0)?.Rows[0].Tid);
        Assert.Equal(15, queries.At(Start + Year + 5000 * 15, 0)?.Rows[0].Tid);
        Assert.Equal(25, queries.At(Start - 10 * Year + 5000 * 25, 0)?.Rows[0].Tid);
    }

    [Fact]
    public void What_is_older_than_keep_by_recorded_time_is_deleted_with_its_rows_and_texts()
    {
        TimeSpan keep = TimeSpan.FromMinutes(10);
        for (int run = 0; run < 3; run++)
        {
            // Each start begins another dictionary.
            using RecorderStore store = _folder.Open();
            for (int i = 200 * run; i < 200 * (run + 1); i++)
                store.Write(Interval(i, Row(i, $"thread-{i}")), keep, MaxSize);
            long intervals = store.Database.Number("SELECT count(*) FROM interval");
            // 120 of five seconds, and a 64th more.
            Assert.InRange(intervals, 120, 123);
            Assert.Equal(intervals, store.Database.Number("SELECT count(*) FROM rows"));
            Assert.Equal(Start + 5000L * (200 * (run + 1) - 1), new RecorderQueries(store.Database).Range()!.Value.To);
            Assert.InRange(store.Database.Number("SELECT count(DISTINCT segment) FROM text"), 1, 2);
        }
        using RecorderStore longer = _folder.Open();
        longer.Write(Interval(600, Row()), TimeSpan.FromMinutes(1), MaxSize);
        Assert.InRange(longer.Database.Number("SELECT count(*) FROM interval"), 12, 14);
    }

    [Fact]
    public void The_files_do_not_exceed_their_size_log_included() => Fill(1, 1300);

    [SlowTheory]
    [InlineData(1)]
    [InlineData(4)]
    public void Nor_do_they_after_the_database_was_written_several_times_over(int mebibytes) => Fill(mebibytes, 4000 * mebibytes);

    private void Fill(int mebibytes, int intervals)
    {
        long limit = mebibytes * 1024L * 1024;
        using RecorderStore store = _folder.Open();
        long largest = 0;
        int number = 0;
        for (; number < intervals; number++)
        {
            store.Write(Interval(number, Rows(number)), Day, limit);
            largest = Math.Max(largest, store.Bytes);
        }
        Assert.InRange(largest, limit / 2, limit);
        RecordedRange range = new RecorderQueries(store.Database).Range()!.Value;
        Assert.Equal(Start + 5000L * (number - 1), range.To);
        Assert.True(range.From > Start, "the oldest is gone");
        Assert.Equal("ok", Check(store));
    }

    [Fact]
    public void A_lower_max_size_shrinks_the_file()
    {
        using RecorderStore store = _folder.Open();
        for (int i = 0; i < 3000; i++)
            store.Write(Interval(i, Rows(i)), Day, MaxSize);
        Assert.True(store.Bytes > 2 * 1024 * 1024);
        store.Write(Interval(3000, Rows(3000)), Day, 1024 * 1024);
        Assert.InRange(store.Bytes, 256 * 1024, 1024 * 1024);
        Assert.Equal("ok", Check(store));
    }

    [Fact]
    public void An_interval_that_cannot_be_written_leaves_nothing_behind()
    {
        using RecorderStore store = _folder.Open();
        store.Write(Interval(0, Row(1, "first")), Day, MaxSize);
        store.Database.Execute("CREATE TRIGGER refuse BEFORE INSERT ON rows BEGIN SELECT RAISE(ABORT, 'refused'); END");
        Assert.Throws<SqliteFailure>(() => store.Write(Interval(1, Row(2, "second")), Day, MaxSize));
        store.Database.Execute("DROP TRIGGER refuse");
        store.Write(Interval(2, Row(3, "second")), Day, MaxSize);
        RecorderQueries queries = new(store.Database);
        Assert.Equal(["first", "second"], queries.Intervals(new RecordedRange(0, long.MaxValue)).Select(i => i.Rows[0].Name));
    }

    [Fact]
    public void A_second_process_cannot_use_the_database()
    {
        using RecorderStore store = _folder.Open();
        store.Write(Interval(0, Row()), Day, MaxSize);
        Assert.True(Assert.Throws<SqliteFailure>(() => _folder.Open()).IsBusy);
    }

    [Fact]
    public void All_files_have_mode_0640()
    {
        using RecorderStore store = _folder.Open();
        store.Write(Interval(0, Row()), Day, MaxSize);
        string[] files = Directory.GetFiles(_folder.Path);
        Assert.Contains(_folder.Database + "-wal", files);
        Assert.All(files, f => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(f)));
    }

    // Fifty threads of which some names are new each time.
    private static HotThreadRow[] Rows(int number)
    {
        HotProcessRow process = Process();
        return [.. Enumerable.Range(0, 50).Select(i => Row(1000 + i, i == 0 ? $"short-lived-{number}" : $"worker-{i}", (50 - i) * 80_000_123L, i * 1_000_456L, process: process))];
    }

    private static string Check(RecorderStore store)
    {
        SqliteStatement statement = store.Database.Prepare("PRAGMA integrity_check");
        return statement.Step() ? statement.Text(0) : "";
    }
}
