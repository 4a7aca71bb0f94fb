namespace ThreadExporter.Model;

/// <summary>
/// One label set of the thread metrics: one thread under one name (own series), or all threads of a process or a group that share a name (name
/// series). Its counters grow only while it is shown, so a series that was hidden resumes where it stopped (docs/decisions/0007).
/// </summary>
/// <param name="name">The shown name, valid UTF-8.</param>
/// <param name="tid">0: a name series.</param>
internal sealed class ThreadSeries(byte[] name, int tid)
{
    // Nanoseconds. CPU time used this long ago counts half as much as CPU time used now.
    private const double HalfLife = 30e9;

    private ThreadCounters _shown = ThreadCounters.Zero;
    private bool _startsAtZero = tid == 0;

    public byte[] Name { get; } = name;

    public int Tid { get; } = tid;

    public bool IsNameSeries => Tid == 0;

    /// <summary>
    /// The values as written to the scrape. Written by <c>Series/CpuLedger</c>; <c>SeriesAssigner</c> sets the start values of a new series.
    /// </summary>
    public ref ThreadCounters Shown => ref _shown;

    /// <summary>The CPU number that the thread of an own series was on; -1: unknown. Written by <c>Series/CpuLedger</c> only.</summary>
    public long LastCpu { get; private set; } = -1;

    /// <summary>
    /// The largest share of a core in a recent window, 0 to 1; of a name series, that of its busiest thread. Written by
    /// <c>Series/SeriesSelector</c> only.
    /// </summary>
    public float Peak { get; set; }

    /// <summary>Live threads of a name series. Written by <c>Series/SeriesAssigner</c> only.</summary>
    public int Members { get; set; }

    /// <summary>False: a name series of exited threads only. Written by <c>Series/SeriesAssigner</c> only.</summary>
    public bool HadMembers { get; set; }

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

    /// <summary>Ranks series by recent CPU use: a logarithm to base 2 that can be compared between series at any time without an update.</summary>
    public double RecentLoad { get; private set; } = double.NegativeInfinity;

    /// <summary>Written by <c>Exposition/OwnerLabels</c> only.</summary>
    public RenderedLabels RenderedLabels { get; } = new();

    /// <summary>Shows the series from this collection on.</summary>
    public void Show(long pass)
    {
        if (ShownSincePass == 0)
            ShownSincePass = pass;
        if (FirstShownInPass == 0)
            FirstShownInPass = pass;
    }

    /// <summary>Hides the series; its counters are kept.</summary>
    public void Hide() => ShownSincePass = 0;

    /// <summary>Whether this collection and the one before it show it.</summary>
    public bool IsShownInBoth(long pass) => ShownSincePass != 0 && ShownSincePass < pass;

    /// <summary>Whether no earlier scrape has exposed this series or another one with the same labels.</summary>
    public bool IsUnseen(long pass) => !_startsAtZero && (FirstShownInPass == 0 || FirstShownInPass == pass);

    /// <summary>
    /// Sets all counters to 0, because Prometheus may have stored a higher value under the same labels. It takes a decrease for a reset to 0,
    /// so any other start value would be counted twice.
    /// </summary>
    public void StartAtZero()
    {
        _startsAtZero = true;
        _shown = ThreadCounters.Zero;
        LastCpu = -1;
    }

    /// <summary>Books the increase of one of its threads.</summary>
    /// <param name="before">The values up to which the thread was booked.</param>
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

    /// <summary>Adds the counters of threads that no reading will book any more. Called by <c>Series/SeriesAssigner</c> only.</summary>
    public void AddExited(in ThreadCounters counters) => _shown.AddRise(before: default, counters);

    /// <summary>
    /// Adds CPU time to <see cref="RecentLoad"/>, a sum with exponential decay, stored as the logarithm of its equivalent at time 0.
    /// </summary>
    /// <param name="cpu">Nanoseconds used.</param>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    public void AddLoad(double cpu, long now)
    {
        double age = now / HalfLife;
        RecentLoad = Math.Log2(Math.Pow(2, RecentLoad - age) + cpu) + age;
    }
}
