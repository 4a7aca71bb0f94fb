using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using ThreadExporter.Procfs;
using ThreadExporter.Text;

namespace ThreadExporter.Matching;

/// <summary>Matches filters against <c>/proc/PID/cgroup</c> (cgroups(7)): paths, and the systemd units that are components of them.</summary>
internal static class CgroupUnits
{
    private const string DeletedSuffix = " (deleted)";
    private static readonly string[] UnitSuffixes = [".service", ".scope", ".slice", ".socket", ".mount", ".swap"];

    /// <summary>Globs for unit names, in which escapes like <c>\x2d</c> are literal.</summary>
    public static ImmutableArray<Glob> CompileUnitGlobs(ImmutableArray<string> patterns) =>
        [.. patterns.Select(static pattern => new Glob(pattern, hasUnitEscapes: true))];

    /// <summary>Whether a unit in the path of the process's cgroup matches, escaped or unescaped.</summary>
    public static bool MatchesUnit(ImmutableArray<Glob> globs, List<CgroupEntry> entries)
    {
        foreach (CgroupEntry entry in entries)
        {
            if (!IsManagedBySystemd(entry))
                continue;
            ReadOnlySpan<char> path = Trim(entry.Path);
            foreach (Range range in path.Split('/'))
            {
                ReadOnlySpan<char> name = UnitName(path[range]);
                if (name.IsEmpty)
                    continue;
                if (Glob.MatchesAny(globs, name))
                    return true;
                if (name.Contains("\\x", StringComparison.Ordinal) && Glob.MatchesAny(globs, Unescape(name)))
                    return true;
            }
        }
        return false;
    }

    /// <summary>
    /// Whether the process's cgroup path matches: that of cgroup v2 or of systemd's own v1 hierarchy. Where neither has a path (v1 without
    /// systemd), that of any hierarchy.
    /// </summary>
    public static bool MatchesPath(ImmutableArray<Glob> globs, List<CgroupEntry> entries)
    {
        bool useAll = true;
        foreach (CgroupEntry entry in entries)
        {
            if (IsManagedBySystemd(entry) && Trim(entry.Path).Length > 1)
                useAll = false;
        }
        foreach (CgroupEntry entry in entries)
        {
            if ((useAll || IsManagedBySystemd(entry)) && Glob.MatchesAny(globs, Trim(entry.Path)))
                return true;
        }
        return false;
    }

    /// <summary>The unit that runs the process, as systemctl prints it: the innermost service or scope; null: none.</summary>
    public static string? Unit(List<CgroupEntry> entries)
    {
        foreach (CgroupEntry entry in entries)
        {
            if (!IsManagedBySystemd(entry))
                continue;
            string? unit = null;
            ReadOnlySpan<char> path = Trim(entry.Path);
            foreach (Range range in path.Split('/'))
            {
                ReadOnlySpan<char> name = UnitName(path[range]);
                if (name.EndsWith(".service", StringComparison.Ordinal) || name.EndsWith(".scope", StringComparison.Ordinal))
                    unit = name.ToString();
            }
            if (unit is not null)
                return unit;
        }
        return null;
    }

    /// <summary>
    /// The path without the leading <c>/..</c> with which a private cgroup namespace shows cgroups outside of it (cgroup_namespaces(7)), and
    /// without the suffix of a removed cgroup.
    /// </summary>
    public static ReadOnlySpan<char> Trim(string cgroupPath)
    {
        ReadOnlySpan<char> path = cgroupPath.AsSpan();
        if (path.EndsWith(DeletedSuffix, StringComparison.Ordinal))
            path = path[..^DeletedSuffix.Length];
        while (path.StartsWith("/..", StringComparison.Ordinal) && (path.Length == 3 || path[3] == '/'))
            path = path[3..];
        return path.IsEmpty ? "/" : path;
    }

    private static bool IsManagedBySystemd(CgroupEntry entry) => entry.Hierarchy == 0 || entry.Controllers == "name=systemd";

    /// <summary>
    /// The unit name in a path component; empty: not a unit. systemd puts a <c>_</c> before a name that the cgroup file system reserves
    /// (CONTROL_GROUP_INTERFACE).
    /// </summary>
    private static ReadOnlySpan<char> UnitName(ReadOnlySpan<char> component)
    {
        if (component.StartsWith('_'))
            component = component[1..];
        foreach (string suffix in UnitSuffixes)
        {
            if (component.Length > suffix.Length && component.EndsWith(suffix, StringComparison.Ordinal))
                return component;
        }
        return default;
    }

    /// <summary>Reverses systemd's escaping of bytes (systemd.unit(5), "String escaping for inclusion in unit names").</summary>
    private static string Unescape(ReadOnlySpan<char> name)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetMaxByteCount(name.Length)];
        int length = 0;
        while (!name.IsEmpty)
        {
            if (GlobParser.IsUnitEscape(name))
            {
                bytes[length++] = byte.Parse(name.Slice(2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
                name = name[4..];
                continue;
            }
            int plain = name[1..].IndexOf('\\') is var next and >= 0 ? next + 1 : name.Length;
            length += Encoding.UTF8.GetBytes(name[..plain], bytes.AsSpan(length));
            name = name[plain..];
        }
        return Encoding.UTF8.GetString(bytes, 0, length);
    }
}
