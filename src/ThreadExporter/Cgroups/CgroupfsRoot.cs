using ThreadExporter.Linux;
using ThreadExporter.Procfs;

namespace ThreadExporter.Cgroups;

/// <summary>
/// The cgroup file system: which hierarchy has the cpu controller. With version 2 there is one hierarchy. With version 1 each controller has its
/// own, often one for cpu and cpuacct; where version 2 is mounted too (hybrid), the cpu controller usually stays with version 1.
/// </summary>
internal sealed class CgroupfsRoot
{
    private const string HostPath = "/host/sys/fs/cgroup", OwnPath = "/sys/fs/cgroup", OwnMounts = "/proc/self/mountinfo";
    private const string Cpu = "cpu", Accounting = "cpuacct", Unified = "unified", ControllersFile = "cgroup.controllers";

    private readonly CgroupMount _mount;
    private readonly CgroupMount? _accounting;

    private CgroupfsRoot(CgroupMount mount, bool isVersion2, CgroupMount? accounting) => (_mount, IsVersion2, _accounting) = (mount, isVersion2, accounting);

    public bool IsVersion2 { get; }

    /// <summary>Finds it.</summary>
    /// <param name="setting"><c>collector.cgroupfs</c>: <c>auto</c>, <c>off</c> or a path.</param>
    /// <param name="notice">One line to log: where it is, or why there is none.</param>
    /// <param name="hostPath">Where a container mounts that of the host.</param>
    /// <param name="ownPath">Where it is otherwise.</param>
    /// <param name="mountInfo">The mounts of this process.</param>
    /// <returns>Null: there are no cgroup series.</returns>
    public static CgroupfsRoot? Open(string setting, out string notice, string hostPath = HostPath, string ownPath = OwnPath, string mountInfo = OwnMounts)
    {
        if (setting == "off")
        {
            notice = "Cgroup series: off (collector.cgroupfs)";
            return null;
        }
        string path = setting != "auto" ? setting : Directory.Exists(hostPath) ? hostPath : ownPath;
        (string? cpu, bool isVersion2) = Find(path);
        string place = cpu ?? path;
        ReadStatus status = RawFile.OpenRoot(place, out int directory);
        RawFile.Close(directory);
        if (cpu is null || status != ReadStatus.Ok)
        {
            string reason = status switch
            {
                ReadStatus.Ok => "no hierarchy with the cpu controller is mounted there",
                ReadStatus.Gone => "no such directory",
                ReadStatus.Denied => "permission denied",
                _ => "it cannot be read",
            };
            notice = $"Cgroup series are not available: {place}: {reason}";
            return null;
        }
        string[] mounts = ReadMounts(mountInfo);
        CgroupMount mount = CgroupMount.Find(cpu, mounts);
        CgroupMount? accounting = !isVersion2 && FindController(path, Accounting) is { } found ? CgroupMount.Find(found, mounts) : null;
        string missing = mount.IsComplete ? "" : ", without those near this process's own cgroup, which was not found there";
        notice = $"Cgroup series are read from {cpu} (cgroup version {(isVersion2 ? 2 : 1)}){missing}";
        return new CgroupfsRoot(mount, isVersion2, accounting);
    }

    /// <summary>Finds the cgroup of a process or thread.</summary>
    /// <param name="entries">The lines of its file <c>cgroup</c>.</param>
    /// <param name="relative">The path of the cgroup below the root of the hierarchy; empty: the root itself.</param>
    /// <param name="hasUsage">Whether the same path in the hierarchy of cpuacct is the same cgroup (version 1).</param>
    /// <returns>False: it has none in this hierarchy, or it is not below the root.</returns>
    public bool TryLocate(List<CgroupEntry> entries, out string relative, out bool hasUsage)
    {
        relative = "";
        hasUsage = false;
        string? path = null, accounting = null;
        foreach (CgroupEntry entry in entries)
        {
            if (IsVersion2 ? entry.Hierarchy == 0 : IsIn(entry.Controllers, Cpu))
                path = entry.Path;
            if (!IsVersion2 && IsIn(entry.Controllers, Accounting))
                accounting = entry.Path;
        }
        if (path is null || !_mount.TryLocate(path, out relative))
            return false;
        hasUsage = path == accounting && _accounting?.TryLocate(path, out string other) == true && other == relative;
        return true;
    }

    /// <summary>The path of a cgroup as the host sees it, or as far as it can be seen.</summary>
    public string PathOf(string relative) => _mount.PathOf(relative);

    /// <summary>The directory of a cgroup.</summary>
    public string DirectoryOf(string relative) => In(_mount, relative);

    /// <summary>Its directory in the hierarchy of cpuacct (version 1).</summary>
    public string UsageDirectoryOf(string relative) => In(_accounting!, relative);

    private static string In(CgroupMount mount, string relative) => relative.Length == 0 ? mount.Directory : $"{mount.Directory}/{relative}";

    private static (string? Directory, bool IsVersion2) Find(string path)
    {
        if (File.Exists($"{path}/{ControllersFile}"))
            return (path, true);
        if (FindController(path, Cpu) is { } version1)
            return (version1, false);
        string unified = $"{path}/{Unified}";
        return File.Exists($"{unified}/{ControllersFile}") ? (unified, true) : (null, false);
    }

    /// <summary>The directory of a hierarchy of version 1: <c>cpu</c>, often a link, or a name such as <c>cpu,cpuacct</c>.</summary>
    private static string? FindController(string path, string controller)
    {
        string plain = $"{path}/{controller}";
        if (Directory.Exists(plain))
            return plain;
        try
        {
            return Directory.EnumerateDirectories(path).FirstOrDefault(d => IsIn(Path.GetFileName(d), controller));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool IsIn(string controllers, string controller)
    {
        if (!controllers.Contains(controller, StringComparison.Ordinal))
            return false;
        foreach (Range range in controllers.AsSpan().Split(','))
        {
            if (controllers.AsSpan()[range].SequenceEqual(controller))
                return true;
        }
        return false;
    }

    private static string[] ReadMounts(string mountInfo)
    {
        try
        {
            return File.ReadAllLines(mountInfo);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
