using System.Runtime.CompilerServices;

namespace ThreadExporter.HotThreads;

/// <summary>A sum over the last <see cref="UsageHistory.Window"/> snapshots.</summary>
internal struct RecentSum()
{
    private Slots _values;
    private long _last = -UsageHistory.Window;

    /// <summary>Adds to a snapshot: the last one or a later one.</summary>
    public void Add(long snapshot, long value)
    {
        for (long i = Math.Max(0, Math.Max(_last + 1, snapshot - UsageHistory.Window + 1)); i <= snapshot; i++)
            _values[(int)(i % UsageHistory.Window)] = 0;
        _last = snapshot;
        _values[(int)(snapshot % UsageHistory.Window)] += value;
    }

    /// <summary>The sum over the window that ends with a snapshot.</summary>
    public readonly long Of(long snapshot)
    {
        long sum = 0;
        for (long i = Math.Max(0, snapshot - UsageHistory.Window + 1); i <= Math.Min(snapshot, _last); i++)
        {
            if (i > _last - UsageHistory.Window)
                sum += _values[(int)(i % UsageHistory.Window)];
        }
        return sum;
    }

    [InlineArray(UsageHistory.Window)]
    private struct Slots
    {
        private long _first;
    }
}
