namespace ThreadExporter.Model;

/// <summary>
/// One label set of the thread metrics: one thread under one name (own series), or all threads of a process that share a name (name
/// series). Its counters grow only while it is shown, so a series that was hidden resumes where it stopped (docs/decisions/0007).
/// </summary>
/// <param name="name">The shown name, valid UTF-8.</param>
/// <param name="tid">0: a name series.</param>
internal sealed class ThreadSeries(byte[] name, int tid)
{
    // CPU time used this long ago weighs half as much as CPU time used now.
    private const double HalfLife = 30e9;

    private ThreadCounters _shown = ThreadCounters.Zero;
    private bool _startsAtZero = tid == 0;

    public byte[] Name { get; } = name;

    public int Tid { get; } = tid;

    public bool IsNameSeries => Tid == 0;

    /// <summary>The values as printed. Written by <c>Series/CpuLedger</c>, which continues from the start value that <c>SeriesAssigner</c> gives a new series.</summary>
    public ref ThreadCounters Shown => ref _shown;

    /// <summary>Number of the CPU that an own series' thread was on; -1: unknown. Written by <c>Series/CpuLedger</c> only.</summary>
    public long LastCpu { get; private set; } = -1;

    /// <summary>The largest share of a core in a recent window, of its busiest member. Written by <c>Series/SeriesSelector</c> only.</summary>
    public float Peak { get; set; }

    /// <summary>Live threads of a name series. Written by <c>Series/SeriesAssigner</c> only.</summary>
    public int Members { get; set; }

    /// <summary>When the last member of a name series exited, CLOCK_MONOTONIC ns. Written by <c>Series/SeriesAssigner</c> only.</summary>
    public long EmptySince { get; set; }

    /// <summary>The collection since which it is shown without a gap (<see cref="CollectionPass.Number"/>); 0: hidden.</summary>
    public long ShownSincePass { get; private set; }

    /// <summary>The first collection that showed it; 0: none.</summary>
    public long FirstShownInPass { get; private set; }

    /// <summary>The last collection that chose to show it. Written by <c>Series/SeriesSelector</c> only.</summary>
    public long ChosenInPass { get; set; }

    /// <summary>When it was last among the <c>top</c> of its process, CLOCK_MONOTONIC ns. Written by <c>Series/SeriesSelector</c> only.</summary>
    public long LastTopAt { get; set; }

    /// <summary>Ranks series by the CPU time that they used lately; comparable at any time without being brought up to date.</summary>
    public double RecentLoad { get; private set; } = double.NegativeInfinity;

    /// <summary>Written by <c>Exposition/ThreadMetrics</c> only.</summary>
    public RenderedLabels RenderedLabels { get; } = new();

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

    /// <summary>Whether no earlier collection has shown it, nor another series with the same labels: no scrape has exposed it yet.</summary>
    public bool IsUnseen(long pass) => !_startsAtZero && (FirstShownInPass == 0 || FirstShownInPass == pass);

    /// <summary>
    /// Prometheus may have stored a higher value under the same labels. It takes a decrease for a restart from 0, so any other start
    /// value would count twice.
    /// </summary>
    public void StartAtZero()
    {
        _startsAtZero = true;
        _shown = ThreadCounters.Zero;
        LastCpu = -1;
    }

    /// <summary>Books one thread.</summary>
    /// <param name="before">The values that were booked before.</param>
    /// <param name="now">The values to book.</param>
    /// <param name="isAttributed">Whether the increase belongs to this series.</param>
    /// <param name="reading">The thread as last read.</param>
    public void Book(in ThreadCounters before, in ThreadCounters now, bool isAttributed, in ThreadReading reading)
    {
        if (_startsAtZero)
            _shown.StartExtended(now);
        if (isAttributed)
            _shown.AddRise(before, now);
        if (IsNameSeries || reading.Extended == 0)
            return;
        _shown.FollowExtended(now);
        LastCpu = reading.LastCpu;
    }

    /// <summary>Adds CPU time to <see cref="RecentLoad"/>: a decaying sum, kept as the logarithm of what it would have been worth at time 0.</summary>
    /// <param name="cpu">Nanoseconds used.</param>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    public void AddLoad(double cpu, long now)
    {
        double age = now / HalfLife;
        RecentLoad = Math.Log2(Math.Pow(2, RecentLoad - age) + cpu) + age;
    }
}
