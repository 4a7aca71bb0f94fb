using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace ThreadExporter.Collection;

/// <summary>
/// The lock over the state of collections: the watched processes and threads, their series and balances, the sampler, the hot page's
/// readings, and the matcher. Collections, sampler ticks, hot page snapshots and inspections run one at a time.
/// </summary>
internal sealed class CollectionGate
{
    private readonly Lock _lock = new();
    private long _busySince;

    /// <summary>
    /// When the running collection or sampler tick started, a <see cref="Stopwatch"/> timestamp; 0: none is running. For the watchdog.
    /// </summary>
    public long BusySince => Volatile.Read(ref _busySince);

    /// <summary>Runs a collection or a sampler tick.</summary>
    public T Run<T>(Func<T> work)
    {
        lock (_lock)
        {
            Volatile.Write(ref _busySince, Stopwatch.GetTimestamp());
            try
            {
                return work();
            }
            finally
            {
                // Before the lock is released: after that, the value may be the start of the next work, which the watchdog must see.
                Volatile.Write(ref _busySince, 0);
            }
        }
    }

    /// <summary>Runs a collection.</summary>
    public void Run(Action work) =>
        Run(() =>
        {
            work();
            return true;
        });

    /// <summary>Reads the state while nothing changes it. Waits as long as a collection runs.</summary>
    public T Inspect<T>(Func<T> inspect)
    {
        lock (_lock)
            return inspect();
    }

    /// <summary>Reads the state while nothing changes it.</summary>
    /// <returns>False when a collection is still running after the timeout.</returns>
    public bool TryInspect<T>(Func<T> inspect, TimeSpan timeout, [MaybeNullWhen(false)] out T result)
    {
        result = default;
        if (!_lock.TryEnter(timeout))
            return false;
        try
        {
            result = inspect();
            return true;
        }
        finally
        {
            _lock.Exit();
        }
    }

    /// <summary>Checks that the calling thread holds the gate.</summary>
    /// <exception cref="InvalidOperationException">The calling thread is not inside <see cref="Run{T}(Func{T})"/> or an inspection.</exception>
    public void AssertHeld()
    {
        if (!_lock.IsHeldByCurrentThread)
            throw new InvalidOperationException("The collection gate must be held.");
    }
}
