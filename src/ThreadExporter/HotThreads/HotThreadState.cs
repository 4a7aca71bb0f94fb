using ThreadExporter.Model;

namespace ThreadExporter.HotThreads;

/// <summary>
/// The hot page's state of a thread while the page is in use, with readings of its own, separate from those of collections. Written by
/// <see cref="HotThreadReader"/> and <see cref="HotThreadTracker"/> only.
/// </summary>
internal sealed class HotThreadState(int tid)
{
    // Exponential decay: 35 % is left after 10 snapshots, less than 0.2 % after 60.
    private const double Decay = 0.9;

    private double _load;
    private long _loadInTick;

    public int Tid { get; } = tid;

    /// <summary>The thread as collections know it; null: started since the last collection.</summary>
    public WatchedThread? Watched { get; set; }

    /// <summary>Nanoseconds on a CPU at the last snapshot that read it; -1: not read yet.</summary>
    public long Cpu { get; set; } = -1;

    /// <summary>Nanoseconds of waiting for a CPU, the highest value that was read; -1: not read yet.</summary>
    public long Wait { get; set; } = -1;

    /// <summary>Nanoseconds that it ran and waited for a CPU between the last two snapshots that read it.</summary>
    public (long Cpu, long Wait) Last { get; set; }

    /// <summary>The last snapshot in which it existed.</summary>
    public long SeenInTick { get; set; }

    /// <summary>Start in clock ticks since boot; 0: <c>stat</c> has not been read yet.</summary>
    public ulong StartTicks { get; set; }

    /// <summary>The shown name as text; empty until <c>stat</c> has been read.</summary>
    public string Name { get; private set; } = "";

    /// <summary>State letter of the last read of <c>stat</c>.</summary>
    public byte State { get; set; }

    /// <summary>The states at the last looks.</summary>
    public StateHistory Looks;

    /// <summary>The last snapshot in which its CPU time was compared with an earlier reading.</summary>
    public long ComparedInTick { get; set; }

    /// <summary>Null: it is not one of the listed threads.</summary>
    public UsageHistory? History { get; set; }

    private byte[] NameBytes { get; set; } = [];

    /// <summary>Adds the share of a core that it used or waited for in a snapshot.</summary>
    public void AddLoad(double share, long snapshot)
    {
        _load = RecentLoad(snapshot) + share;
        _loadInTick = snapshot;
    }

    /// <summary>A sum, with exponential decay, of the shares of a core that it used or waited for.</summary>
    public double RecentLoad(long snapshot) => _load * Math.Pow(Decay, snapshot - _loadInTick);

    /// <summary>Records a look at its state.</summary>
    /// <param name="snapshot">The number of the snapshot.</param>
    /// <param name="state">The state letter.</param>
    /// <param name="isProcessIdle">The process clock has not moved since the last snapshot.</param>
    public void LookAt(long snapshot, byte state, bool isProcessIdle)
    {
        bool hasNotRun = isProcessIdle || (ComparedInTick == snapshot && Last.Cpu == 0);
        Looks.Add(snapshot, state, !hasNotRun);
        State = state;
    }

    /// <summary>Decodes the name if it has changed.</summary>
    public void Rename(ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual(NameBytes) && Name.Length > 0)
            return;
        NameBytes = name.ToArray();
        Name = Procfs.ProcText.Decode(name);
    }

    /// <summary>Starts again with another thread that now has the tid.</summary>
    public void Reset()
    {
        Cpu = -1;
        Wait = -1;
        StartTicks = 0;
        History = null;
        Last = default;
        Looks = default;
        _load = 0;
    }
}
