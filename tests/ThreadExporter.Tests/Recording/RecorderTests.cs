using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using ThreadExporter.Configuration;
using ThreadExporter.Recording;
using ThreadExporter.Tests.Support;
using static ThreadExporter.Tests.Recording.RecorderFolder;

namespace ThreadExporter.Tests.Recording;

/// <summary><see cref="Recorder"/>: whatever the disk does, nobody waits for it, and the log has one line.</summary>
public sealed class RecorderTests : IAsyncDisposable, ILogger<Recorder>
{
    private readonly RecorderFolder _folder = new();
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UnixEpoch.AddYears(50));
    private readonly ConcurrentQueue<string> _log = new();
    private readonly ManualResetEventSlim _unblocked = new();
    private RecorderConfig _config = new();
    private Recorder? _recorder;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        _unblocked.Set();
        if (_recorder is not null)
            await _recorder.StopAsync(CancellationToken.None);
        _folder.Dispose();
        _unblocked.Dispose();
    }

    [Fact]
    public async Task Intervals_are_written_and_questions_are_answered()
    {
        Recorder recorder = await StartAsync();
        Assert.True(recorder.IsOn);
        Assert.Null(await recorder.AskAsync(q => q.Range()));
        for (int i = 0; i < 3; i++)
            recorder.Offer(Interval(i, Row(i)));
        Eventually.True(() => recorder.Written == 3, "three intervals are written");
        Assert.Equal(new RecordedRange(Start - 5000, Start + 10_000), await recorder.AskAsync(q => q.Range()));
        Assert.Equal((0, 0, Start + 10_000, Start - 5000), (recorder.Lost, recorder.Errors, recorder.LastWrite, recorder.Oldest));
        Assert.Equal(_folder.File.Size(), recorder.Bytes);
        Assert.Equal([$"Information: Recording the hottest threads to {_folder.Database}"], _log);
    }

    [Fact]
    public async Task While_the_disk_blocks_intervals_are_lost_questions_fail_and_nobody_waits()
    {
        Recorder recorder = await StartAsync();
        using SemaphoreSlim blocked = new(0);
        Task<bool> stuck = Block(recorder, blocked);
        await blocked.WaitAsync(Cancellation);
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < RecorderQueue.MaxIntervals + 5; i++)
            recorder.Offer(Interval(i, Row(i)));
        Assert.Equal(5, recorder.Lost);
        Task<RecordedRange?>[] asked = [.. Enumerable.Range(0, RecorderQueue.MaxQueries).Select(_ => recorder.AskAsync(q => q.Range()))];
        RecorderBusyException full = await Assert.ThrowsAsync<RecorderBusyException>(() => recorder.AskAsync(q => q.Range()));
        Assert.Equal("too many requests wait for the recorder's database", full.Message);
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(2));
        _clock.Advance(RecorderQueue.QueryTimeout);
        foreach (Task task in (Task[])[stuck, .. asked])
            Assert.Equal("the recorder's database does not respond", (await Assert.ThrowsAsync<RecorderBusyException>(() => task)).Message);
        _unblocked.Set();
        Eventually.True(() => recorder.Written == RecorderQueue.MaxIntervals, "what has waited is written");
        Assert.NotNull(await recorder.AskAsync(q => q.Range()));
    }

    [Fact]
    public async Task The_end_does_not_wait_for_a_disk_that_blocks()
    {
        Recorder recorder = await StartAsync();
        using SemaphoreSlim blocked = new(0);
        Task<bool> stuck = Block(recorder, blocked);
        await blocked.WaitAsync(Cancellation);
        long start = Stopwatch.GetTimestamp();
        await recorder.StopAsync(Cancellation);
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0.5, 3);
        _unblocked.Set();
        Assert.True(await stuck);
    }

    [Fact]
    public async Task At_the_end_what_waits_is_written_and_the_log_of_the_database_is_gone()
    {
        Recorder recorder = await StartAsync();
        using SemaphoreSlim blocked = new(0);
        Task<bool> stuck = Block(recorder, blocked);
        await blocked.WaitAsync(Cancellation);
        recorder.Offer(Interval(0, Row()));
        recorder.Offer(Interval(1, Row()));
        Task end = recorder.StopAsync(Cancellation);
        recorder.Offer(Interval(2, Row()));
        _unblocked.Set();
        await end;
        Assert.True(await stuck);
        Assert.Equal((2, 1), (recorder.Written, recorder.Lost));
        Assert.Equal([_folder.Database], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task A_directory_that_is_missing_is_one_line_and_is_used_once_it_is_there()
    {
        string missing = Path.Combine(_folder.Path, "missing");
        Recorder recorder = await StartAsync(Path.Combine(missing, "recorder.db"));
        Eventually.True(() => recorder.Errors == 1, "the attempt fails");
        for (int i = 0; i < 3; i++)
            recorder.Offer(Interval(i, Row()));
        Eventually.True(() => recorder.Lost == 3, "they are lost");
        RecorderBusyException refused = await Assert.ThrowsAsync<RecorderBusyException>(() => recorder.AskAsync(q => q.Range()));
        Assert.Equal("the recorder's database cannot be opened: the log says why", refused.Message);
        Assert.Equal(1, recorder.Errors);
        _clock.Advance(Recorder.RetryInterval);
        recorder.Offer(Interval(3, Row()));
        Eventually.True(() => recorder.Lost == 4, "it is lost, too");
        Assert.Equal(2, recorder.Errors);
        Directory.CreateDirectory(missing);
        _clock.Advance(Recorder.RetryInterval);
        recorder.Offer(Interval(4, Row()));
        Eventually.True(() => recorder.Written == 1, "it is written");
        Assert.Equal(
            [$"Warning: Cannot record to {missing}/recorder.db: no directory {missing}: create it, or set recorder.directory; retrying once a minute",
                $"Information: Recording to {missing}/recorder.db again; intervals lost since the start: 4"],
            _log);
    }

    [Fact]
    public async Task A_database_that_is_damaged_while_it_is_used_is_moved_aside_and_a_new_one_begun()
    {
        Recorder recorder = await StartAsync();
        for (int i = 0; i < 5; i++)
            recorder.Offer(Interval(i, Row(i)));
        Eventually.True(() => recorder.Written == 5, "intervals are written");
        // What a bit flip may leave: the rows of an interval are not valid.
        await Assert.ThrowsAsync<RecorderBusyException>(() => recorder.AskAsync<bool>(_ => throw new InvalidDataException("damaged")));
        recorder.Offer(Interval(5, Row(5)));
        Eventually.True(() => recorder.Written == 6, "an interval is written into the new one");
        Assert.Equal(new RecordedRange(Start + 20_000, Start + 25_000), await recorder.AskAsync(q => q.Range()));
        string moved = Assert.Single(_folder.Aside);
        Assert.Contains($"Warning: {_folder.Database} is damaged or another program's: it is now {moved}, and a new one was begun", _log);
        Assert.Equal((1, 0), (recorder.Errors, recorder.Lost));
    }

    [Fact]
    public async Task A_database_that_was_deleted_is_begun_again()
    {
        Recorder recorder = await StartAsync();
        recorder.Offer(Interval(0, Row()));
        Eventually.True(() => recorder.Written == 1, "it is written");
        foreach (string file in Directory.GetFiles(_folder.Path))
            File.Delete(file);
        recorder.Offer(Interval(1, Row()));
        Eventually.True(() => recorder.Written == 2, "it is written");
        Assert.True(File.Exists(_folder.Database));
        Assert.Equal(new RecordedRange(Start, Start + 5000), await recorder.AskAsync(q => q.Range()));
        Assert.Equal(0, recorder.Errors);
    }

    [Fact]
    public async Task A_question_that_fails_by_itself_does_not_stop_the_recorder()
    {
        Recorder recorder = await StartAsync();
        RecorderBusyException error = await Assert.ThrowsAsync<RecorderBusyException>(() => recorder.AskAsync<bool>(_ => throw new InvalidOperationException("a bug")));
        Assert.Equal("internal error: the log says more", error.Message);
        recorder.Offer(Interval(0, Row()));
        Eventually.True(() => recorder.Written == 1, "it is written");
        Assert.Empty(_folder.Aside);
        Assert.Contains(_log, l => l.StartsWith("Error: A question to the recorder failed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_foreign_file_is_moved_aside_at_the_start()
    {
        await File.WriteAllTextAsync(_folder.Database, "somebody's notes", Cancellation);
        Recorder recorder = await StartAsync();
        recorder.Offer(Interval(0, Row()));
        Eventually.True(() => recorder.Written == 1, "it is written");
        Assert.Equal("somebody's notes", await File.ReadAllTextAsync(Assert.Single(_folder.Aside), Cancellation));
        Assert.Equal(2, _log.Count);
    }

    [Fact]
    public async Task Without_a_directory_one_line_says_so()
    {
        _recorder = new Recorder(null, "systemd gives no directory", () => _config, _clock, this);
        await _recorder.StartAsync(Cancellation);
        Assert.False(_recorder.IsOn);
        Assert.Equal(["Information: The recorder is off: systemd gives no directory"], _log);
        await _recorder.StopAsync(Cancellation);
        _log.Clear();
        _config = _config with { Enabled = false };
        Recorder silent = new(null, "systemd gives no directory", () => _config, _clock, this);
        await silent.StartAsync(Cancellation);
        Assert.Empty(_log);
    }

    [Theory]
    [InlineData("auto", null, null, "systemd gives no directory (STATE_DIRECTORY), and recorder.directory names none")]
    [InlineData("auto", "", null, "systemd gives no directory (STATE_DIRECTORY), and recorder.directory names none")]
    [InlineData("auto", "relative", null, "systemd gives no directory (STATE_DIRECTORY), and recorder.directory names none")]
    [InlineData("auto", "/var/lib/a:/var/lib/b", "/var/lib/a/recorder.db", "")]
    [InlineData("/srv/x/", "/var/lib/a", "/srv/x/recorder.db", "")]
    public void The_directory_is_that_of_the_configuration_or_of_systemd(string setting, string? state, string? expected, string reason)
    {
        Assert.Equal(expected, RecorderDirectory.FileOf(new RecorderConfig { Directory = setting }, state, out string whyNot));
        Assert.Equal(reason, whyNot);
        Assert.Equal(expected is null ? $"recorder: off, {reason}" : $"recorder: {expected}", RecorderDirectory.Describe(new RecorderConfig { Directory = setting }, state));
    }

    [Fact]
    public void Without_the_library_nothing_is_recorded()
    {
        Assert.Null(RecorderDirectory.FileOf(new RecorderConfig { Directory = "/x" }, null, out string whyNot, "libnone.so.0"));
        Assert.Equal("this system has no libnone.so.0 (package sqlite-libs or libsqlite3-0)", whyNot);
    }

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _log.Enqueue($"{logLevel}: {formatter(state, exception)}{exception}");

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    private async Task<Recorder> StartAsync(string? file = null)
    {
        _recorder = new Recorder(file ?? _folder.Database, "", () => _config, _clock, this);
        await _recorder.StartAsync(Cancellation);
        return _recorder;
    }

    // Occupies the recorder's thread, as a write that does not return would.
    private Task<bool> Block(Recorder recorder, SemaphoreSlim started) => recorder.AskAsync(_ =>
    {
        started.Release();
        _unblocked.Wait();
        return true;
    });
}
