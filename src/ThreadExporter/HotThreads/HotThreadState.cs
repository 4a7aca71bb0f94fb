using ThreadExporter.Model;

namespace ThreadExporter.HotThreads;

/// <summary>What the hot page knows of one thread while it is in use: its own readings, apart from those of collections. Written by <see cref="HotThreadReader"/> and <see cref="HotThreadTracker"/> only.</summary>
internal sealed class HotThreadState(int tid)
{
    // Exponential decay: 35 % is left after 10 snapshots, less than 0.2 % after 60.
    private const double Decay = 0.9;

    private double _load;
    private long _loadInTick;

    public int Tid { get; } = tid;

    /// <summary>The collector's view; null: started since the last collection.</summary>
    public WatchedThread? Watched { get; set; }

    /// <summary>Nanoseconds on a CPU at the last snapshot that read it; -1: none yet.</summary>
    public long Cpu { get; set; } = -1;

    /// <summary>Nanoseconds of waiting for a CPU: the highest value that was read; -1: none yet.</summary>
    public long Wait { get; set; } = -1;

    /// <summary>What it ran and waited between its last two snapshots, in nanoseconds.</summary>
    public (long Cpu, long Wait) Last { get; set; }

    /// <summary>The last snapshot in which it existed.</summary>
    public long SeenInTick { get; set; }

    /// <summary>Start in clock ticks since boot, when <c>stat</c> has been read; else 0.</summary>
    public ulong StartTicks { get; set; }

    /// <summary>The shown name as text; empty until <c>stat</c> has been read.</summary>
    public string Name { get; private set; } = "";

    /// <summary>State letter of the last read of <c>stat</c>.</summary>
    public byte State { get; set; }

    /// <summary>Null: not among the listed threads.</summary>
    public UsageHistory? History { get; set; }

    private byte[] NameBytes { get; set; } = [];

    /// <summary>Adds the share of a core that it ran or waited for in a snapshot.</summary>
    public void AddLoad(double share, long snapshot)
    {
        _load = RecentLoad(snapshot) + share;
        _loadInTick = snapshot;
    }

    /// <summary>The share of a core that it lately ran or waited for, with exponential decay.</summary>
    public double RecentLoad(long snapshot) => _load * Math.Pow(Decay, snapshot - _loadInTick);

    public void Rename(ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual(NameBytes) && Name.Length > 0)
            return;
        NameBytes = name.ToArray();
        Name = Procfs.ProcText.Decode(name);
    }

    /// <summary>Its tid now belongs to another thread.</summary>
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
