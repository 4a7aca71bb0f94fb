using System.Collections.Immutable;
using System.Text;
using ThreadExporter.Matching;
using ThreadExporter.Model;
using ThreadExporter.Procfs;

namespace ThreadExporter.Series;

/// <summary>
/// What exit records say of processes outside of groups: those that no collection has seen, and the last moments of the others. Their records
/// are lower bounds, and no clock is left to compare them with.
/// </summary>
internal sealed class ExitedProcesses
{
    private const int MaxEntries = 256;

    /// <summary>An entry to which nothing was added for so long is dropped. Nanoseconds.</summary>
    private const long KeepFor = 600_000_000_000;

    private readonly SortedDictionary<GroupKey, ExitedProcess> _entries = [];

    /// <summary>By filter, daemon and name.</summary>
    public IReadOnlyCollection<ExitedProcess> Entries => _entries.Values;

    /// <summary>How many samples they have.</summary>
    public int Samples => _entries.Values.Sum(static e => 1 + e.Names.Series.Count);

    /// <summary>False: the number of samples has reached its limit, so that new names share series.</summary>
    public bool HasRoom { get; set; } = true;

    /// <summary>Adds the exited threads of a process that has exited.</summary>
    /// <param name="filter">The filter that selects it.</param>
    /// <param name="daemon">Label <c>daemon</c>, UTF-8; null: that of its name.</param>
    /// <param name="name">Its name, in the kernel's bytes.</param>
    /// <param name="labels">The labels that the filter adds.</param>
    /// <param name="threads">Its exited threads by name.</param>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    public void Add(CompiledFilter filter, byte[]? daemon, byte[] name, (string Name, byte[] Value)[] labels, ExitSums threads, long now)
    {
        string text = ProcText.Decode(name);
        GroupKey key = GroupKey.Of(filter.Name, daemon is null ? text : ProcText.Decode(daemon), text, labels);
        if (!_entries.TryGetValue(key, out ExitedProcess? entry))
        {
            if (!HasRoom || _entries.Count >= MaxEntries)
                (key, labels) = (GroupKey.Of(filter.Name, ExitedNames.Other, ExitedNames.Other, []), []);
            if (!_entries.TryGetValue(key, out entry))
                _entries.Add(key, entry = new ExitedProcess(filter.Name, Encoding.UTF8.GetBytes(key.Daemon), Encoding.UTF8.GetBytes(key.Name), labels));
        }
        entry.Exits++;
        entry.AddedAt = now;
        foreach ((TaskComm comm, ExitSum sum) in threads.Items)
        {
            if (ExitLedger.ShownName(filter.Threads, comm, foldDigits: true) is not { } shown)
                continue;
            entry.Names.Create(shown, HasRoom);
            entry.Names.TryAdd(shown, sum.Counters.Cpu, sum.Exits);
        }
    }

    /// <summary>Shows the series that exist now, without those of filters that are not active any more.</summary>
    /// <param name="filters">The active filters.</param>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    public void Show(ImmutableArray<CompiledFilter> filters, long now)
    {
        foreach ((GroupKey key, ExitedProcess entry) in _entries.ToArray())
        {
            if (now - entry.AddedAt < KeepFor && filters.Any(f => f.Name == key.Filter && !f.Config.Group))
                entry.Show();
            else
                _entries.Remove(key);
        }
    }
}
