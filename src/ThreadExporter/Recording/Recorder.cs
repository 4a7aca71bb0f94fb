using ThreadExporter.Configuration;
using ThreadExporter.HotThreads;

namespace ThreadExporter.Recording;

/// <summary>
/// Keeps intervals, and answers questions about them, on a thread of its own: a disk that blocks delays neither the sampler nor a scrape. The public
/// members may be used from any thread, and none of them waits for the disk.
/// </summary>
/// <param name="file">The database; null: nothing is recorded.</param>
/// <param name="whyNot">Why nothing is recorded, for the log; empty otherwise.</param>
/// <param name="config">The table <c>[recorder]</c> of the active configuration.</param>
/// <param name="time">The clock of retries and timeouts.</param>
/// <param name="logger">Gets one line when something fails and one when it works again.</param>
internal sealed class Recorder(string? file, string whyNot, Func<RecorderConfig> config, TimeProvider time, ILogger<Recorder> logger) : IHostedService
{
    /// <summary>After a failure the database is left alone for this long.</summary>
    public static readonly TimeSpan RetryInterval = TimeSpan.FromMinutes(1);

    private const int StackSize = 512 * 1024;

    // How often the thread looks whether recorder.enabled has changed.
    private static readonly TimeSpan IdleInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(1);

    private readonly RecorderQueue _queue = new(time);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly DatabaseFile? _file = file is null ? null : new DatabaseFile(file, time);
    private long _written;
    private long _lost;
    private long _errors;
    private long _bytes;
    private long _lastWrite;
    private long _oldest;

    // Of the thread alone.
    private (RecorderStore Store, RecorderQueries Queries)? _open;
    private bool _hasFailed;
    private long _failedAt;

    /// <summary>Whether intervals are wanted. A failing disk does not change it.</summary>
    public bool IsOn => _file is not null && config().Enabled;

    /// <summary>Intervals written since the start.</summary>
    public long Written => Volatile.Read(ref _written);

    /// <summary>Intervals that were not written since the start.</summary>
    public long Lost => Volatile.Read(ref _lost);

    /// <summary>Failures to open, write or read the database since the start.</summary>
    public long Errors => Volatile.Read(ref _errors);

    /// <summary>Bytes of the database and of its log after the last write.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>The end of the last interval that was written, in milliseconds since 1970; 0: none since the start.</summary>
    public long LastWrite => Volatile.Read(ref _lastWrite);

    /// <summary>The start of the oldest interval that is kept, in milliseconds since 1970; 0: not known.</summary>
    public long Oldest => Volatile.Read(ref _oldest);

    /// <summary>Takes an interval. Without room for it, it is lost.</summary>
    public void Offer(HotInterval interval)
    {
        if (!_queue.TryAdd(interval))
            Interlocked.Increment(ref _lost);
    }

    /// <inheritdoc cref="RecorderQueue.AskAsync"/>
    public Task<T> AskAsync<T>(Func<RecorderQueries, T> ask) => _queue.AskAsync(ask);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (_file is not null)
        {
            new Thread(Run, StackSize) { Name = "recorder", IsBackground = true }.Start();
            return Task.CompletedTask;
        }
        if (config().Enabled)
            logger.RecorderOff(whyNot);
        _ended.SetResult();
        return Task.CompletedTask;
    }

    /// <summary>Lets the thread write what waits and close the database, but does not wait for a disk that blocks.</summary>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        _queue.Stop();
        return Task.WhenAny(_ended.Task, Task.Delay(StopTimeout, cancellationToken));
    }

    private void Run()
    {
        bool goesOn = true;
        while (goesOn)
        {
            try
            {
                if (config().Enabled)
                    TryOpen();
                else
                    Close();
                goesOn = _queue.Take(IdleInterval, out HotInterval? interval, out RecorderQuery? query);
                if (interval is not null)
                    Write(interval);
                else if (query is not null)
                    Answer(query);
            }
            // Out of memory, for example. The thread must go on.
            catch (Exception e)
            {
                Interlocked.Increment(ref _errors);
                logger.RecorderFailed(e);
                Close();
                (_hasFailed, _failedAt) = (true, time.GetTimestamp());
            }
        }
        Close();
        _ended.SetResult();
    }

    private bool IsPausing => _hasFailed && time.GetElapsedTime(_failedAt) < RetryInterval;

    private void Write(HotInterval interval)
    {
        RecorderConfig now = config();
        // After a full disk the database is open, so that it can be read.
        if (!now.Enabled || IsPausing || !TryOpen() || _open is not { } open)
        {
            Interlocked.Increment(ref _lost);
            return;
        }
        try
        {
            open.Store.Write(interval, now.Keep, now.MaxSize);
        }
        catch (Exception e) when (IsOfTheDisk(e))
        {
            Interlocked.Increment(ref _lost);
            Fail(e);
            return;
        }
        if (_hasFailed)
            logger.RecordingAgain(_file!.Path, Lost);
        _hasFailed = false;
        Volatile.Write(ref _lastWrite, interval.To);
        Measure();
        Interlocked.Increment(ref _written);
    }

    private void Answer(RecorderQuery query)
    {
        if (!TryOpen() || _open is not { } open)
        {
            query.Refuse("the recorder's database cannot be opened: the log says why");
            return;
        }
        try
        {
            query.Run(open.Queries);
        }
        catch (Exception e) when (IsOfTheDisk(e))
        {
            query.Refuse("the recorder's database cannot be read: the log says why");
            Fail(e);
        }
        // Nothing is wrong with the database.
        catch (Exception e)
        {
            query.Refuse("internal error: the log says more");
            logger.QuestionFailed(e);
        }
    }

    /// <summary>Opens the database unless something has failed in the last minute.</summary>
    private bool TryOpen()
    {
        // Somebody may have deleted the file, or put another in its place.
        if (_open?.Store.IsInPlace == true)
            return true;
        Close();
        if (IsPausing)
            return false;
        try
        {
            _file!.Prepare(out string? movedTo);
            if (movedTo is not null)
                logger.DatabaseMoved(_file.Path, movedTo);
            RecorderStore store = new(_file);
            _open = (store, new RecorderQueries(store.Database));
            Measure();
            if (!_hasFailed)
                logger.Recording(_file.Path);
            return true;
        }
        catch (Exception e) when (IsOfTheDisk(e))
        {
            Fail(e);
            return false;
        }
    }

    private void Measure()
    {
        if (_open is not { } open)
            return;
        Volatile.Write(ref _bytes, open.Store.Bytes);
        Volatile.Write(ref _oldest, open.Queries.Range()?.From ?? 0);
    }

    /// <summary>Counts a failure. A damaged database is moved aside; after any other failure there is a pause.</summary>
    private void Fail(Exception error)
    {
        Interlocked.Increment(ref _errors);
        bool isDamage = error is InvalidDataException or SqliteFailure { IsDamage: true };
        if (error is not SqliteFailure { IsFull: true })
            Close();
        if (isDamage)
        {
            try
            {
                logger.DatabaseMoved(_file!.Path, _file.MoveAside());
                return;
            }
            catch (Exception e) when (IsOfTheDisk(e))
            {
                error = e;
            }
        }
        if (!_hasFailed)
            logger.RecordingFailed(_file!.Path, error is SqliteFailure { IsBusy: true } ? "another process has it open" : error.Message.Split('\n')[0].TrimEnd('.', '\r'));
        (_hasFailed, _failedAt) = (true, time.GetTimestamp());
    }

    private void Close()
    {
        _open?.Store.Dispose();
        _open = null;
    }

    private static bool IsOfTheDisk(Exception error) => error is SqliteFailure or IOException or UnauthorizedAccessException or InvalidDataException;
}
