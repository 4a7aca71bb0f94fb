namespace ThreadExporter.Cgroups;

/// <summary>What was last read of a cgroup, and its files. Written by <c>CgroupReader</c> only.</summary>
internal sealed class CgroupReading(string directory)
{
    private CgroupCounters _counters = CgroupCounters.Unknown;
    private CgroupCounters _raw = CgroupCounters.Unknown;

    /// <summary>The counters. None falls: they continue when the cgroup was removed and made again between two readings.</summary>
    public ref readonly CgroupCounters Counters => ref _counters;

    /// <summary>The CPU limit in billionths of a core; -1: none.</summary>
    public long Limit { get; set; } = -1;

    /// <summary>When the limit is to be read again, CLOCK_MONOTONIC ns.</summary>
    public long LimitDueAt { get; set; }

    /// <summary>Whether the last reading succeeded.</summary>
    public bool IsReadable { get; set; }

    /// <summary><c>cpu.stat</c>.</summary>
    public CgroupFile Stat { get; } = new($"{directory}/cpu.stat");

    /// <summary><c>cpu.pressure</c> of version 2; null: there is none, or it was not looked for yet.</summary>
    public CgroupFile? Pressure { get; set; }

    /// <summary><c>cpuacct.usage</c> of version 1; null: the processes are in another cgroup of that hierarchy.</summary>
    public CgroupFile? Usage { get; set; }

    /// <summary>Takes a value of the kernel. -1: there is none.</summary>
    /// <param name="counter">The counter.</param>
    /// <param name="value">What the file says.</param>
    /// <param name="isAnother">The cgroup was made again since the last reading: it started at 0, and all of it came after that reading.</param>
    public void Book(CgroupCounter counter, long value, bool isAnother)
    {
        (long known, long before) = (_counters[counter], _raw[counter]);
        // A value of the same cgroup that falls was reset by somebody (cpuacct.usage can be written): only what comes after it counts.
        _counters[counter] = value < 0 || known < 0 ? value : known + (isAnother ? value : Math.Max(0, value - before));
        _raw[counter] = value;
    }
}
