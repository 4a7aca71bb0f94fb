using ThreadExporter.Linux;
using ThreadExporter.Procfs;

namespace ThreadExporter.Cgroups;

/// <summary>
/// The cgroups of the watched processes and those above them. Each is read once in a collection, however many processes are in it, and forgotten
/// when no process is in it or below it. Not thread-safe: used under the collection gate.
/// </summary>
internal sealed class CgroupTable(CgroupfsRoot root) : IDisposable
{
    // A cgroup of a single thread is resolved again and again while somebody looks at it.
    private const long KeepResolved = 60_000_000_000;

    private readonly Dictionary<string, CgroupNode> _byRelativePath = new(StringComparer.Ordinal);
    private readonly List<CgroupNode> _nodes = [];
    private readonly List<CgroupNode> _shown = [];
    private readonly List<CgroupEntry> _entries = [];
    private readonly CgroupReader _reader = new(root.IsVersion2);
    private long _pass = 1;

    /// <summary>The cgroups that have series, as of the last collection, in the order of their paths: those of processes, and those above them that set a limit.</summary>
    public IReadOnlyList<CgroupNode> Shown => _shown;

    /// <summary>Where they are read.</summary>
    public string Place => root.DirectoryOf("");

    /// <summary>Cgroups that could not be read for lack of permission in the last collection.</summary>
    public int Denied { get; private set; }

    /// <summary>Descriptors that are kept open.</summary>
    public int Descriptors => _reader.Kept;

    /// <summary>How many cgroups are known.</summary>
    public int Count => _nodes.Count;

    /// <summary>The samples of the cgroups that are shown.</summary>
    public int Samples
    {
        get
        {
            int samples = 0;
            foreach (CgroupNode node in _shown)
                samples += node.Reading.Counters.Known + (node.IsLimited ? 1 : 0);
            return samples;
        }
    }

    /// <summary>The cgroup of a process or thread.</summary>
    /// <param name="entries">The lines of its file <c>cgroup</c>.</param>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    /// <returns>Null: it cannot be found.</returns>
    public CgroupNode? Resolve(List<CgroupEntry> entries, long now)
    {
        if (!root.TryLocate(entries, out string relative, out bool hasUsage))
            return null;
        CgroupNode found = Find(relative);
        for (CgroupNode? node = found; node is not null && (node.ResolvedAt != now || (hasUsage && node.Reading.Usage is null)); node = node.Parent)
        {
            node.ResolvedAt = now;
            if (hasUsage && node.Reading.Usage is null)
                CgroupReader.AddUsage(node, root.UsageDirectoryOf(node.RelativePath));
        }
        return found;
    }

    /// <summary>The same, from the text of the file: of a process, or of a thread (<c>task/TID/cgroup</c>), which may be in a cgroup of its own.</summary>
    public CgroupNode? Resolve(ReadOnlySpan<byte> text, long now) => ProcCgroup.TryParse(text, _entries) ? Resolve(_entries, now) : null;

    /// <summary>Says that a watched process is in a cgroup, before <see cref="Collect"/>.</summary>
    public void Mark(CgroupNode member)
    {
        member.MemberInPass = _pass;
        for (CgroupNode? node = member; node is not null && node.NeededInPass != _pass; node = node.Parent)
            node.NeededInPass = _pass;
    }

    /// <summary>Reads what was marked, and forgets the rest.</summary>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    /// <param name="refreshInterval">Nanoseconds after which a limit is read again.</param>
    /// <param name="room">How many descriptors may be kept.</param>
    public void Collect(long now, long refreshInterval, int room)
    {
        (_reader.RefreshInterval, _reader.Room) = (refreshInterval, room);
        _shown.Clear();
        Denied = 0;
        Forget(now);
        foreach (CgroupNode node in _nodes)
        {
            if (node.NeededInPass != _pass)
                continue;
            bool isMember = node.MemberInPass == _pass;
            if (_reader.Read(node, isMember, now) == ReadStatus.Denied)
                Denied++;
            if (node.Reading.IsReadable && (isMember || node.IsLimited))
                _shown.Add(node);
        }
        _pass++;
    }

    /// <summary>Reads the throttling and the limit of a cgroup between collections.</summary>
    /// <param name="node">From <see cref="Resolve(List{CgroupEntry}, long)"/>, at most a minute ago.</param>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    public void Read(CgroupNode node, long now) => _reader.Read(node, isMember: false, now);

    public void Dispose()
    {
        foreach (CgroupNode node in _nodes)
            _reader.Close(node);
        _nodes.Clear();
        _byRelativePath.Clear();
    }

    private void Forget(long now)
    {
        int kept = 0;
        for (int i = 0; i < _nodes.Count; i++)
        {
            CgroupNode node = _nodes[i];
            if (node.NeededInPass == _pass || now - node.ResolvedAt <= KeepResolved)
            {
                _nodes[kept++] = node;
                continue;
            }
            _reader.Close(node);
            _byRelativePath.Remove(node.RelativePath);
        }
        _nodes.RemoveRange(kept, _nodes.Count - kept);
    }

    private CgroupNode Find(string relative)
    {
        if (_byRelativePath.TryGetValue(relative, out CgroupNode? known))
            return known;
        CgroupNode? parent = relative.Length == 0 ? null : Find(relative[..Math.Max(0, relative.LastIndexOf('/'))]);
        CgroupNode node = new(root.PathOf(relative), relative, root.DirectoryOf(relative), parent);
        _byRelativePath.Add(relative, node);
        int index = _nodes.BinarySearch(node, ByPath.Instance);
        _nodes.Insert(~index, node);
        return node;
    }

    private sealed class ByPath : IComparer<CgroupNode>
    {
        public static readonly ByPath Instance = new();

        public int Compare(CgroupNode? x, CgroupNode? y) => string.CompareOrdinal(x!.Path, y!.Path);
    }
}
