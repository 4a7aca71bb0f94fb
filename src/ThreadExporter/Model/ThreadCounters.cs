using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace ThreadExporter.Model;

/// <summary>
/// The columns of <see cref="ThreadCounters"/>. A new counter needs a member here, a parsed field, a line where it is read, a metric family
/// and its row in <c>ThreadMetrics</c>, and documentation.
/// </summary>
internal enum CounterKind
{
    /// <summary>Nanoseconds on a CPU.</summary>
    Cpu,

    /// <summary>Nanoseconds runnable but waiting for a CPU.</summary>
    Wait,

    /// <summary>Times that it was given a CPU.</summary>
    Timeslices,

    /// <summary>Nanoseconds in user mode, a multiple of the clock tick.</summary>
    User,

    /// <summary>Nanoseconds in kernel mode, a multiple of the clock tick.</summary>
    Kernel,

    /// <summary>Saturated time in nanoseconds, counted by the sampler.</summary>
    Saturated,

    // From here on: collector.extended.
    VoluntarySwitches,
    InvoluntarySwitches,
    MinorFaults,
    MajorFaults,

    /// <summary>Bytes read from storage.</summary>
    ReadBytes,

    /// <summary>Bytes written, or to be written, to storage.</summary>
    WriteBytes,
}

/// <summary>One value per <see cref="CounterKind"/>; -1: unknown.</summary>
internal struct ThreadCounters
{
    private const int Count = (int)CounterKind.WriteBytes + 1;
    private const int FirstExtended = (int)CounterKind.VoluntarySwitches;

    private Columns _columns;

    /// <summary>The counters of a thread that was not read yet: unknown, except for CPU and saturated time, which are 0.</summary>
    public static ThreadCounters Unknown
    {
        get
        {
            ThreadCounters counters = default;
            Span<long> columns = counters._columns;
            columns.Fill(-1);
            counters[CounterKind.Cpu] = 0;
            counters[CounterKind.Saturated] = 0;
            return counters;
        }
    }

    /// <summary>The counters at the start of a series: 0, and unknown for the extended counters.</summary>
    public static ThreadCounters Zero
    {
        get
        {
            ThreadCounters counters = default;
            counters.ClearExtended();
            return counters;
        }
    }

    [UnscopedRef]
    public ref long this[CounterKind kind] => ref _columns[(int)kind];

    public long Cpu { readonly get => _columns[(int)CounterKind.Cpu]; set => _columns[(int)CounterKind.Cpu] = value; }

    public readonly long Wait => _columns[(int)CounterKind.Wait];

    public readonly long Timeslices => _columns[(int)CounterKind.Timeslices];

    public readonly long User => _columns[(int)CounterKind.User];

    public readonly long Kernel => _columns[(int)CounterKind.Kernel];

    public readonly bool SameAs(in ThreadCounters other)
    {
        ReadOnlySpan<long> columns = _columns;
        return columns.SequenceEqual(other._columns);
    }

    /// <summary>
    /// Adds the increase between two readings of a thread, for each column that is known in both readings and here. A decrease adds nothing,
    /// however large it is.
    /// </summary>
    public void AddRise(in ThreadCounters before, in ThreadCounters now)
    {
        for (int i = 0; i < Count; i++)
        {
            if (before._columns[i] >= 0 && now._columns[i] > before._columns[i] && _columns[i] >= 0)
                _columns[i] += now._columns[i] - before._columns[i];
        }
    }

    /// <summary>Adds values, for each column that is known in both; an unknown extended counter here takes the value.</summary>
    public void Add(in ThreadCounters other)
    {
        for (int i = 0; i < Count; i++)
        {
            if (other._columns[i] >= 0)
                _columns[i] = Math.Max(0, _columns[i]) + other._columns[i];
        }
    }

    /// <summary>The increase since <paramref name="before"/>; 0 where a value has decreased, unknown where one is.</summary>
    public readonly ThreadCounters RiseSince(in ThreadCounters before)
    {
        ThreadCounters rise = default;
        for (int i = 0; i < Count; i++)
            rise._columns[i] = _columns[i] < 0 || before._columns[i] < 0 ? -1 : Math.Max(0, _columns[i] - before._columns[i]);
        return rise;
    }

    /// <summary>
    /// Takes the values of a new reading of the same thread. A counter that decreased keeps its highest value until it has passed that: if
    /// the low value was wrong, counting from it would count the difference twice.
    /// </summary>
    public void Follow(in ThreadCounters now)
    {
        for (int i = 0; i < FirstExtended; i++)
            _columns[i] = Math.Max(_columns[i], now._columns[i]);
        // The sampler's count starts again at 0 when the sampler is the first to find that another thread has taken the place.
        _columns[(int)CounterKind.Saturated] = now._columns[(int)CounterKind.Saturated];
        // An extended counter that cannot be read is unknown, so that its increase meanwhile is not attributed.
        for (int i = FirstExtended; i < Count; i++)
            _columns[i] = now._columns[i] < 0 ? -1 : Math.Max(_columns[i], now._columns[i]);
    }

    /// <summary>
    /// For the own series of a thread: an extended counter that can no longer be read becomes unknown and is not shown; one that was unknown
    /// starts at the thread's value.
    /// </summary>
    public void FollowExtended(in ThreadCounters thread)
    {
        for (int i = FirstExtended; i < Count; i++)
        {
            if (thread._columns[i] < 0 || _columns[i] < 0)
                _columns[i] = thread._columns[i];
        }
    }

    /// <summary>Sets extended counters to 0 that are known for the thread but unknown here.</summary>
    public void StartExtended(in ThreadCounters thread)
    {
        for (int i = FirstExtended; i < Count; i++)
        {
            if (thread._columns[i] >= 0 && _columns[i] < 0)
                _columns[i] = 0;
        }
    }

    /// <summary>Makes the extended counters unknown.</summary>
    public void ClearExtended()
    {
        for (int i = FirstExtended; i < Count; i++)
            _columns[i] = -1;
    }

    /// <summary>The start values of an own series: 0 for unknown columns. Extended counters are unknown until they are booked.</summary>
    public readonly ThreadCounters Known()
    {
        ThreadCounters known = Zero;
        for (int i = 0; i < FirstExtended; i++)
            known._columns[i] = Math.Max(0, _columns[i]);
        return known;
    }

    [InlineArray(Count)]
    private struct Columns
    {
        private long _first;
    }
}
