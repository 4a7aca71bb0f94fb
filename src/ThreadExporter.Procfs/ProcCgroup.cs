using ThreadExporter.Linux;

namespace ThreadExporter.Procfs;

/// <summary>One line of <c>/proc/PID/cgroup</c>: cgroups(7).</summary>
/// <param name="Hierarchy">0 is cgroup v2.</param>
/// <param name="Controllers">Comma-separated; empty for v2; <c>name=systemd</c> for systemd's own v1 hierarchy.</param>
/// <param name="Path">
/// As the kernel wrote it: relative to the reader's cgroup namespace (it may start with <c>/..</c>), with
/// <c> (deleted)</c> at its end when the cgroup was removed.
/// </param>
public readonly record struct CgroupEntry(int Hierarchy, string Controllers, string Path);

/// <summary><c>/proc/PID/cgroup</c>: one line per hierarchy, <c>hierarchy:controllers:path</c>.</summary>
public static class ProcCgroup
{
    /// <summary>
    /// Fills <paramref name="entries"/> (cleared first, empty on failure). A path may contain colons but no newline (mkdir rejects it). An
    /// empty file is valid: no hierarchy is mounted. A line without its newline was cut and is a failure.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> text, List<CgroupEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        entries.Clear();
        while (!text.IsEmpty)
        {
            int end = text.IndexOf((byte)'\n');
            if (end < 0 || !TryParseLine(text[..end], out CgroupEntry entry))
            {
                entries.Clear();
                return false;
            }
            entries.Add(entry);
            text = text[(end + 1)..];
        }
        return true;
    }

    private static bool TryParseLine(ReadOnlySpan<byte> line, out CgroupEntry entry)
    {
        entry = default;
        if (!Digits.TryReadInt(ref line, out int hierarchy) || !Digits.TryTake(ref line, (byte)':'))
            return false;
        int colon = line.IndexOf((byte)':');
        if (colon < 0 || colon + 1 == line.Length || line[colon + 1] != '/')
            return false;
        entry = new CgroupEntry(hierarchy, ProcText.Decode(line[..colon]), ProcText.Decode(line[(colon + 1)..]));
        return true;
    }
}
