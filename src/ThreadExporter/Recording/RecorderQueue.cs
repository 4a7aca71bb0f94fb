using ThreadExporter.HotThreads;

namespace ThreadExporter.Recording;

/// <summary>What waits for the recorder's thread: intervals, and questions. Both are bounded, and nobody who adds something waits.</summary>
/// <param name="time">The clock of the timeout.</param>
internal sealed class RecorderQueue(TimeProvider time)
{
    /// <summary>How long a question may take.</summary>
    public static readonly TimeSpan QueryTimeout = TimeSpan.FromSeconds(3);

    public const int MaxIntervals = 8, MaxQueries = 16;

    private readonly object _lock = new();
    private readonly Queue<HotInterval> _intervals = new();
    private readonly Queue<RecorderQuery> _queries = new();
    private bool _stopped;

    /// <returns>False: there is no room for it.</returns>
    public bool TryAdd(HotInterval interval)
    {
        lock (_lock)
        {
            if (_stopped || _intervals.Count >= MaxIntervals)
                return false;
            _intervals.Enqueue(interval);
            Monitor.Pulse(_lock);
            return true;
        }
    }

    /// <summary>Asks the database.</summary>
    /// <param name="ask">Runs on the recorder's thread.</param>
    /// <exception cref="RecorderBusyException">There is no answer in time, or the database cannot be read.</exception>
    public async Task<T> AskAsync<T>(Func<RecorderQueries, T> ask)
    {
        TaskCompletionSource<T> completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
        RecorderQuery query = new(
            queries => completion.TrySetResult(ask(queries)),
            reason => completion.TrySetException(new RecorderBusyException(reason)));
        lock (_lock)
        {
            if (_stopped || _queries.Count >= MaxQueries)
                throw new RecorderBusyException("too many requests wait for the recorder's database");
            _queries.Enqueue(query);
            Monitor.Pulse(_lock);
        }
        try
        {
            return await completion.Task.WaitAsync(QueryTimeout, time);
        }
        catch (TimeoutException)
        {
            query.IsAbandoned = true;
            throw new RecorderBusyException("the recorder's database does not respond");
        }
    }

    /// <summary>Takes what comes next, intervals first. Called by the recorder's thread.</summary>
    /// <param name="timeout">How long to wait for something.</param>
    /// <param name="interval">An interval to write.</param>
    /// <param name="query">A question; null also when nobody waits for its answer any more.</param>
    /// <returns>False: the queue was stopped, and is empty.</returns>
    public bool Take(TimeSpan timeout, out HotInterval? interval, out RecorderQuery? query)
    {
        query = null;
        lock (_lock)
        {
            if (!_stopped && _intervals.Count == 0 && _queries.Count == 0)
                Monitor.Wait(_lock, timeout);
            if (_intervals.TryDequeue(out interval))
                return true;
            if (!_queries.TryDequeue(out query))
                return !_stopped;
        }
        if (query.IsAbandoned)
            query = null;
        return true;
    }

    /// <summary>Takes nothing more.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            _stopped = true;
            Monitor.Pulse(_lock);
        }
    }
}

/// <summary>A question that waits.</summary>
/// <param name="run">Asks and gives the answer.</param>
/// <param name="refuse">Says why there is none.</param>
internal sealed class RecorderQuery(Action<RecorderQueries> run, Action<string> refuse)
{
    private volatile bool _isAbandoned;

    /// <summary>Nobody waits for the answer any more.</summary>
    public bool IsAbandoned
    {
        get => _isAbandoned;
        set => _isAbandoned = value;
    }

    public void Run(RecorderQueries queries) => run(queries);

    public void Refuse(string reason) => refuse(reason);
}

/// <summary>The database gives no answer now. The message is one line, for the client.</summary>
internal sealed class RecorderBusyException(string message) : Exception(message);
