using ThreadExporter.Configuration;

namespace ThreadExporter.Model;

/// <summary>What <c>collector.extended</c> adds to a thread or a series; -1: not chosen, or it cannot be read.</summary>
internal sealed class ExtendedCounters(ExtendedKinds kinds)
{
    private readonly long[] _counters = [-1, -1, -1, -1, -1, -1];

    /// <summary>What was chosen when they were read.</summary>
    public ExtendedKinds Kinds { get; } = kinds;

    public long VoluntarySwitches { get => _counters[0]; set => _counters[0] = value; }
    public long InvoluntarySwitches { get => _counters[1]; set => _counters[1] = value; }
    public long MinorFaults { get => _counters[2]; set => _counters[2] = value; }
    public long MajorFaults { get => _counters[3]; set => _counters[3] = value; }

    /// <summary>Bytes read from storage.</summary>
    public long ReadBytes { get => _counters[4]; set => _counters[4] = value; }

    /// <summary>Bytes written to storage or to be written.</summary>
    public long WriteBytes { get => _counters[5]; set => _counters[5] = value; }

    /// <summary>The number of the CPU that it was on.</summary>
    public long LastCpu { get; set; } = -1;

    /// <summary>The same thread, read again. What fell is held, as in <see cref="ThreadCounters.Follow"/>; what cannot be read is not known.</summary>
    public void Raise(ExtendedCounters now)
    {
        for (int i = 0; i < _counters.Length; i++)
            _counters[i] = now._counters[i] < 0 ? -1 : Math.Max(_counters[i], now._counters[i]);
        LastCpu = now.LastCpu;
    }

    /// <summary>Adds what rose between two readings of one thread, of what is known in all three.</summary>
    public void AddRise(ExtendedCounters? before, ExtendedCounters now)
    {
        for (int i = 0; i < _counters.Length; i++)
        {
            if (_counters[i] >= 0 && before?._counters[i] >= 0 && now._counters[i] > before._counters[i])
                _counters[i] += now._counters[i] - before._counters[i];
        }
    }

    /// <summary>
    /// Of a thread's own series: what cannot be read any more is not shown, what is not known yet begins at the thread's value, the CPU is
    /// the thread's.
    /// </summary>
    public void Follow(ExtendedCounters thread)
    {
        for (int i = 0; i < _counters.Length; i++)
        {
            if (thread._counters[i] < 0 || _counters[i] < 0)
                _counters[i] = thread._counters[i];
        }
        LastCpu = thread.LastCpu;
    }

    /// <summary>What the thread knows and this does not begins at 0.</summary>
    public ExtendedCounters FromZero(ExtendedCounters thread)
    {
        for (int i = 0; i < _counters.Length; i++)
        {
            if (thread._counters[i] >= 0 && _counters[i] < 0)
                _counters[i] = 0;
        }
        return this;
    }
}
