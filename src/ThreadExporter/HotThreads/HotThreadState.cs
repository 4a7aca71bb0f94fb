using ThreadExporter.Model;

namespace ThreadExporter.HotThreads;

/// <summary>What the hot page knows of one thread while somebody looks: values of its own, apart from those of the books.</summary>
internal sealed class HotThreadState(int tid)
{
    // Of what a thread was yesterday nothing counts: after ten snapshots a third, after a minute nothing.
    private const double Decay = 0.9;

    private double _load;
    private long _loadInTick;

    public int Tid { get; } = tid;

    /// <summary>The collector's view; null: born since the last collection.</summary>
    public WatchedThread? Watched { get; set; }

    /// <summary>Nanoseconds on a CPU at the last snapshot that read it; -1: none yet.</summary>
    public long Cpu { get; set; } = -1;

    /// <summary>Nanoseconds of waiting for a CPU: the highest value that a snapshot has read; -1: none yet.</summary>
    public long Wait { get; set; } = -1;

    /// <summary>What it ran and waited between its last two snapshots, in nanoseconds.</summary>
    public (long Cpu, long Wait) Last { get; set; }

    /// <summary>The last snapshot in which it was there.</summary>
    public long SeenInTick { get; set; }

    /// <summary>Start in clock ticks since boot, when <c>stat</c> has been read; else 0.</summary>
    public ulong StartTicks { get; set; }

    /// <summary>The shown name as text; empty until <c>stat</c> has been read.</summary>
    public string Name { get; private set; } = "";

    /// <summary>State letter of the last read of <c>stat</c>.</summary>
    public byte State { get; set; }

    /// <summary>Null: not among the hottest.</summary>
    public UsageHistory? History { get; set; }

    private byte[] NameBytes { get; set; } = [];

    /// <summary>Adds what it wanted of a core in a snapshot, running or waiting.</summary>
    public void AddLoad(double share, long snapshot)
    {
        _load = RecentLoad(snapshot) + share;
        _loadInTick = snapshot;
    }

    /// <summary>How much of a core it wanted lately; older snapshots count less and less.</summary>
    public double RecentLoad(long snapshot) => _load * Math.Pow(Decay, snapshot - _loadInTick);

    public void Rename(ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual(NameBytes) && Name.Length > 0)
            return;
        NameBytes = name.ToArray();
        Name = Procfs.ProcText.Decode(name);
    }

    /// <summary>Another thread has its tid now.</summary>
    public void Reset()
    {
        Cpu = -1;
        Wait = -1;
        StartTicks = 0;
        History = null;
        Last = default;
        _load = 0;
    }
}
