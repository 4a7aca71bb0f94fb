using ThreadExporter.Cgroups;
using ThreadExporter.Linux;
using ThreadExporter.Matching;
using ThreadExporter.Model;
using ThreadExporter.Procfs;

namespace ThreadExporter.Collection;

/// <summary>Finds the cgroups of watched processes, when the processes are matched: that is when they may have moved.</summary>
internal sealed class CgroupFinder(CgroupTable table, CollectionDiagnostics errors)
{
    /// <summary>
    /// Known processes that are looked at again in one rescan. With more of them they take turns, because a read of the file costs as much as
    /// all other reads for the cgroup together.
    /// </summary>
    private const int MostAtOnce = 500;

    // A cgroup path has at most PATH_MAX bytes, and v1 has about a dozen hierarchies.
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly List<CgroupEntry> _entries = [];
    private int _round;
    private int _turns = 1;
    private int _due;

    /// <summary>Begins a listing of /proc.</summary>
    public void Begin()
    {
        // Nobody was due.
        if (_due == 0)
            return;
        _turns = (_due + MostAtOnce - 1) / MostAtOnce;
        _round++;
        _due = 0;
    }

    /// <summary>Sets the cgroup of a process. An error says nothing about the cgroup, and the process keeps the one that it had.</summary>
    /// <param name="watched">The process.</param>
    /// <param name="process">Its properties.</param>
    /// <param name="now">CLOCK_MONOTONIC ns.</param>
    public void Find(WatchedProcess watched, ProcessInfo process, long now)
    {
        // A filter or a label has needed it.
        if (process.HasReadCgroups)
        {
            if (process.GetCgroups(out List<CgroupEntry> entries) == ReadStatus.Ok)
                Set(watched, table.Resolve(entries, now), []);
            return;
        }
        if (watched.Cgroup is not null)
        {
            _due++;
            if ((watched.Pid + _round) % _turns != 0)
                return;
        }
        ReadStatus status = process.ReadCgroupText(_buffer, out int length);
        ReadOnlySpan<byte> text = _buffer.AsSpan(0, length);
        // Most often it is the same as before; to find it again would cost as much as to read it.
        if (status == ReadStatus.Ok && watched.Cgroup is { Text.Length: > 0 } known && text.SequenceEqual(known.Text))
            return;
        if (status == ReadStatus.Ok && !ProcCgroup.TryParse(text, _entries))
            status = ReadStatus.Malformed;
        errors.CountReadError(status);
        if (status == ReadStatus.Ok)
            Set(watched, table.Resolve(_entries, now), text.ToArray());
    }

    private static void Set(WatchedProcess watched, CgroupNode? node, byte[] text)
    {
        if (watched.Cgroup is not { } before || before.Node != node || !text.AsSpan().SequenceEqual(before.Text))
            watched.Cgroup = new ProcessCgroup(node, text);
    }
}
