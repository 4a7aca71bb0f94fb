using System.Runtime.CompilerServices;

namespace ThreadExporter.Cgroups;

/// <summary>The columns of <see cref="CgroupCounters"/>.</summary>
internal enum CgroupCounter
{
    /// <summary>Nanoseconds of CPU time of its processes and of those below it.</summary>
    Cpu,

    /// <summary>Nanoseconds in which its processes could not run because of its limit, added up over the CPUs.</summary>
    Throttled,

    /// <summary>Periods in which its limit was enforced.</summary>
    Periods,

    /// <summary>Those in which it was throttled.</summary>
    ThrottledPeriods,

    /// <summary>Nanoseconds in which at least one of its tasks waited for a CPU.</summary>
    Pressure,
}

/// <summary>One value per <see cref="CgroupCounter"/>; -1: unknown, because the kernel does not have it there.</summary>
internal struct CgroupCounters
{
    public const int Count = (int)CgroupCounter.Pressure + 1;

    private Columns _columns;

    public static CgroupCounters Unknown
    {
        get
        {
            CgroupCounters counters = default;
            Span<long> columns = counters._columns;
            columns.Fill(-1);
            return counters;
        }
    }

    /// <summary>How many are known.</summary>
    public readonly int Known
    {
        get
        {
            int known = 0;
            foreach (long column in _columns)
                known += column < 0 ? 0 : 1;
            return known;
        }
    }

    public long this[CgroupCounter counter]
    {
        readonly get => _columns[(int)counter];
        set => _columns[(int)counter] = value;
    }

    /// <summary>What each has grown by since an earlier reading; 0 where one of the two is unknown.</summary>
    public readonly CgroupCounters RiseSince(in CgroupCounters before)
    {
        CgroupCounters rise = default;
        for (int i = 0; i < Count; i++)
            rise._columns[i] = _columns[i] < 0 || before._columns[i] < 0 ? 0 : Math.Max(0, _columns[i] - before._columns[i]);
        return rise;
    }

    [InlineArray(Count)]
    private struct Columns
    {
        private long _first;
    }
}
