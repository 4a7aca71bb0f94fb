using ThreadExporter.Linux;

namespace ThreadExporter.Cgroups;

/// <summary>
/// A mounted cgroup hierarchy, and how paths of /proc/PID/cgroup lead into it. Those paths are relative to the root of this process's cgroup
/// namespace (cgroup_namespaces(7)); the mount may show more than that, as the host's in a container, or less.
/// </summary>
internal sealed class CgroupMount
{
    private readonly string[] _above;
    private readonly string[]? _names;

    /// <param name="directory">The mount point, or another directory of the hierarchy.</param>
    /// <param name="root">What it shows, as a path relative to the namespace: <c>/</c>, <c>/../..</c>, <c>/a/b</c> or <c>/../a</c>.</param>
    /// <param name="names">When the root starts with <c>/..</c>: the names from up there down to the root of the namespace; null: not known.</param>
    public CgroupMount(string directory, string root = "/", string[]? names = null)
    {
        Directory = directory;
        string[] parts = root.Split('/', StringSplitOptions.RemoveEmptyEntries);
        Depth = parts.TakeWhile(static p => p == "..").Count();
        _above = parts[Depth..];
        _names = Depth == 0 ? [] : names;
    }

    public string Directory { get; }

    /// <summary>How many levels it is above the root of the namespace.</summary>
    public int Depth { get; }

    /// <summary>Whether the names of these levels are known. Without them only cgroups outside of the topmost one can be located.</summary>
    public bool IsComplete => _names is not null;

    /// <summary>Finds the directory of a cgroup.</summary>
    /// <param name="path">As in /proc/PID/cgroup.</param>
    /// <param name="relative">The path below <see cref="Directory"/>, without a slash at its start; empty: the directory itself.</param>
    /// <returns>False: it is outside of the mount, or the name of a level is not known.</returns>
    public bool TryLocate(string path, out string relative)
    {
        relative = "";
        if (!path.StartsWith('/'))
            return false;
        if (path == "/" && Depth == 0 && _above.Length == 0)
            return true;
        string[] parts = path == "/" ? [] : path[1..].Split('/');
        int up = parts.TakeWhile(static p => p == "..").Count();
        ReadOnlySpan<string> rest = parts.AsSpan(up);
        foreach (string part in rest)
        {
            if (part is "" or "." or "..")
                return false;
        }
        if (up > Depth || (up < Depth && _names is null))
            return false;
        ReadOnlySpan<string> whole = up == Depth ? rest : [.. _names.AsSpan(0, Depth - up), .. rest];
        if (!whole.StartsWith(_above))
            return false;
        relative = string.Join('/', whole[_above.Length..]);
        return true;
    }

    /// <summary>The path of a cgroup as the host sees it, or as far as it can be seen.</summary>
    public string PathOf(string relative) => "/" + string.Join('/', relative.Length == 0 ? _above : [.. _above, relative]);

    /// <summary>The mount that a directory is in, from the text of /proc/self/mountinfo. A directory that is in none shows what the namespace shows.</summary>
    public static CgroupMount Find(string directory, IReadOnlyList<string> mountInfo)
    {
        string real = RealPath(directory);
        MountLine? found = null;
        foreach (string line in mountInfo)
        {
            // The last one of equal ones covers the others.
            if (MountLine.TryParse(line, out MountLine? mount) && mount.Contains(real) && (found is null || mount.Point.Length >= found.Point.Length))
                found = mount;
        }
        if (found is null)
            return new CgroupMount(directory);
        string root = found.Root.TrimEnd('/') + real[found.Point.Length..];
        CgroupMount whole = new(directory, root.Length == 0 ? "/" : root);
        // The root of the namespace is where the same hierarchy is mounted for this namespace.
        MountLine? own = mountInfo.Select(static l => MountLine.TryParse(l, out MountLine? m) ? m : null).FirstOrDefault(m => m is { Root: "/" } && m.Device == found.Device);
        return whole.Depth == 0 || whole._above.Length > 0 || own is null ? whole : new CgroupMount(directory, root, FindNames(directory, whole.Depth, FileIdentity.Read(own.Point)));
    }

    // A cgroup has the same inode in all mounts of its hierarchy.
    private static string[]? FindNames(string directory, int depth, FileIdentity wanted)
    {
        if (wanted.Status != ReadStatus.Ok)
            return null;
        try
        {
            foreach (string child in System.IO.Directory.EnumerateDirectories(directory))
            {
                if (depth == 1)
                {
                    if (FileIdentity.Read(child) is var identity && identity.Inode == wanted.Inode && identity.Device == wanted.Device)
                        return [Path.GetFileName(child)];
                }
                else if (FindNames(child, depth - 1, wanted) is { } below)
                {
                    return [Path.GetFileName(child), .. below];
                }
            }
        }
        // Removed in the meantime, or not readable.
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
        return null;
    }

    // /sys/fs/cgroup/cpu is often a link to cpu,cpuacct.
    private static string RealPath(string directory)
    {
        string path = Path.GetFullPath(directory).TrimEnd('/');
        FileSystemInfo? target = null;
        try
        {
            target = System.IO.Directory.ResolveLinkTarget(path, returnFinalTarget: true);
        }
        catch (IOException)
        {
        }
        return target?.FullName ?? path;
    }

    /// <summary>A line of mountinfo (proc_pid_mountinfo(5)) of a cgroup file system.</summary>
    private sealed record MountLine(string Device, string Root, string Point)
    {
        public bool Contains(string directory) =>
            directory.StartsWith(Point, StringComparison.Ordinal) && (directory.Length == Point.Length || directory[Point.Length] == '/');

        public static bool TryParse(string line, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out MountLine? mount)
        {
            mount = null;
            string[] fields = line.Split(' ');
            int hyphen = Array.IndexOf(fields, "-");
            if (hyphen < 6 || fields.Length <= hyphen + 1 || fields[hyphen + 1] is not ("cgroup" or "cgroup2"))
                return false;
            mount = new MountLine(fields[2], Unescape(fields[3]), Unescape(fields[4]));
            return true;
        }

        // The kernel escapes the characters that separate fields and lines.
        private static string Unescape(string text) => text.Replace(@"\040", " ", StringComparison.Ordinal).Replace(@"\011", "\t", StringComparison.Ordinal)
            .Replace(@"\012", "\n", StringComparison.Ordinal).Replace(@"\134", @"\", StringComparison.Ordinal);
    }
}
