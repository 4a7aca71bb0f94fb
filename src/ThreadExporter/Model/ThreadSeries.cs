namespace ThreadExporter.Model;

/// <summary>
/// One label set of the thread metrics: a thread under one name, or all threads of a process that share a name. Its counters
/// take only what was used while it was shown, so a series that was hidden resumes where it stopped (docs/decisions/0007).
/// </summary>
/// <param name="name">The shown name, valid UTF-8.</param>
/// <param name="tid">0: a group of threads.</param>
internal sealed class ThreadSeries(byte[] name, int tid)
{
    // The weight of what was used so long ago is half of what is used now.
    private const double HalfLife = 30e9;

    public byte[] Name { get; } = name;

    public int Tid { get; } = tid;

    public bool IsNameSeries => Tid == 0;

    /// <summary>The values as printed.</summary>
    public ref ThreadCounters Shown => ref _shown;

    private ThreadCounters _shown;
    private bool _startsAtZero = tid == 0;

    /// <summary>What <c>collector.extended</c> adds, as printed; null until it was chosen.</summary>
    public ExtendedCounters? Extended { get; private set; }

    /// <summary>The highest share of a core in a recent window, of the hottest member.</summary>
    public float Peak { get; set; }

    /// <summary>Live threads; of a group.</summary>
    public int Members { get; set; }

    /// <summary>The collection since which it is shown without a break (<see cref="CollectionPass.Number"/>); 0: hidden.</summary>
    public long ShownSincePass { get; private set; }

    /// <summary>The first collection that showed it; 0: none has.</summary>
    public long FirstShownInPass { get; private set; }

    /// <summary>The last collection that chose it to be shown.</summary>
    public long ChosenInPass { get; set; }

    /// <summary>Orders series by the CPU time that they used lately: comparable at any time without being brought up to date.</summary>
    public double RecentLoad { get; private set; } = double.NegativeInfinity;

    /// <summary>When it was last among the hottest of its process; monotonic nanoseconds.</summary>
    public long LastTopAt { get; set; }

    /// <summary>When the last member of a group ended; monotonic nanoseconds.</summary>
    public long EmptySinceTime { get; set; }

    /// <summary>Written by the exposition, dropped when a label changes.</summary>
    public byte[]? RenderedLabels { get; set; }

    public void Show(long pass)
    {
        if (ShownSincePass == 0)
            ShownSincePass = pass;
        if (FirstShownInPass == 0)
            FirstShownInPass = pass;
    }

    public void Hide() => ShownSincePass = 0;

    /// <summary>Whether this collection and the one before it show it.</summary>
    public bool IsShownInBoth(long pass) => ShownSincePass != 0 && ShownSincePass < pass;

    /// <summary>Whether no earlier collection has shown it, nor one of the same labels: nobody knows a value of it.</summary>
    public bool IsUnseen(long pass) => !_startsAtZero && (FirstShownInPass == 0 || FirstShownInPass == pass);

    /// <summary>
    /// Somebody may know a higher value under the same labels. To Prometheus a fall is a restart from 0: whatever else it begins
    /// with would count twice.
    /// </summary>
    public void StartAtZero()
    {
        _startsAtZero = true;
        _shown = default;
        Extended = null;
    }

    /// <summary>Takes in what <c>collector.extended</c> adds of one thread.</summary>
    /// <param name="before">As it was booked last; null: never.</param>
    /// <param name="now">As it was read.</param>
    /// <param name="counts">Whether the rise is shown here.</param>
    public void AddExtended(ExtendedCounters? before, ExtendedCounters now, bool counts)
    {
        Extended ??= new ExtendedCounters(now.Kinds);
        if (_startsAtZero)
            Extended.FromZero(now);
        if (counts)
            Extended.AddRise(before, now);
        if (!IsNameSeries)
            Extended.Follow(now);
    }

    /// <summary>A decaying sum, kept as the logarithm of what it would have been worth at time 0.</summary>
    /// <param name="cpu">Nanoseconds used.</param>
    /// <param name="now">Monotonic nanoseconds.</param>
    public void AddLoad(double cpu, long now)
    {
        double age = now / HalfLife;
        RecentLoad = Math.Log2(Math.Pow(2, RecentLoad - age) + cpu) + age;
    }
}
