using System.Globalization;
using System.Text;
using ThreadExporter.Cgroups;

namespace ThreadExporter.Tests.Support;

/// <summary>A cgroup file system of plain files in a temporary directory, in any layout, with the mounts as this process would see them.</summary>
internal sealed class FixtureCgroups : IDisposable
{
    private readonly StringBuilder _mounts = new("31 23 0:28 / /elsewhere rw,relatime - tmpfs tmpfs rw,mode=755\n");

    public string Root { get; } = Directory.CreateTempSubdirectory("te-cgroup-").FullName;

    /// <summary>Mounts a hierarchy of version 2 at a directory below the root; empty: the root.</summary>
    public void MountVersion2(string directory = "", string shows = "/")
    {
        Write(directory, "cgroup.controllers", "cpuset cpu io memory pids\n");
        Mount(directory, "cgroup2", "0:26", shows);
    }

    /// <summary>Mounts a hierarchy of version 1, for example <c>cpu,cpuacct</c>.</summary>
    public void MountVersion1(string directory, string shows = "/", string device = "0:29")
    {
        Directory.CreateDirectory(Path.Combine(Root, directory));
        Mount(directory, "cgroup", device, shows);
    }

    /// <summary>A line of mountinfo, for a directory of the fixture that is a mount point.</summary>
    public void Mount(string directory, string type, string device, string shows) =>
        _mounts.Append(CultureInfo.InvariantCulture, $"40 31 {device} {shows} {Path.Combine(Root, directory).TrimEnd('/').Replace(" ", @"\040", StringComparison.Ordinal)} rw,nosuid shared:9 - {type} {type} rw\n");

    /// <summary>A cgroup of version 2. Times in microseconds; -1 leaves lines and files out.</summary>
    public void Version2(string path, long usage, long periods = -1, long throttledPeriods = -1, long throttled = -1, string? max = null, long pressure = -1)
    {
        Write(path, "cpu.stat", string.Create(CultureInfo.InvariantCulture, $"usage_usec {usage}\nuser_usec {usage}\nsystem_usec 0\n")
            + (periods < 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"nr_periods {periods}\nnr_throttled {throttledPeriods}\nthrottled_usec {throttled}\n")));
        if (max is not null)
            Write(path, "cpu.max", max + "\n");
        if (pressure >= 0)
            Write(path, "cpu.pressure", string.Create(CultureInfo.InvariantCulture, $"some avg10=0.00 avg60=0.00 avg300=0.00 total={pressure}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"));
    }

    /// <summary>A cgroup in the hierarchy of the cpu controller of version 1. Times in nanoseconds, the quota in microseconds.</summary>
    public void Version1(string path, long periods = 0, long throttledPeriods = 0, long throttled = 0, long quota = -1)
    {
        Write(path, "cpu.stat", string.Create(CultureInfo.InvariantCulture, $"nr_periods {periods}\nnr_throttled {throttledPeriods}\nthrottled_time {throttled}\n"));
        Write(path, "cpu.cfs_quota_us", string.Create(CultureInfo.InvariantCulture, $"{quota}\n"));
        Write(path, "cpu.cfs_period_us", "100000\n");
    }

    /// <summary>The CPU time of a cgroup of version 1, in nanoseconds.</summary>
    public void Usage(string path, long usage) => Write(path, "cpuacct.usage", string.Create(CultureInfo.InvariantCulture, $"{usage}\n"));

    public void Write(string path, string file, string text)
    {
        string directory = Path.Combine(Root, path);
        Directory.CreateDirectory(directory);
        // In place, so that a kept descriptor sees it.
        using FileStream stream = new(Path.Combine(directory, file), FileMode.OpenOrCreate, FileAccess.Write);
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        stream.Write(bytes);
        // Not before: a daemon that reads it meanwhile would find it empty.
        stream.SetLength(bytes.Length);
    }

    /// <summary>Finds the hierarchies as the daemon does.</summary>
    public CgroupfsRoot Open()
    {
        CgroupfsRoot? root = TryOpen("auto", out string notice);
        Assert.True(root is not null, notice);
        return root;
    }

    public CgroupfsRoot? TryOpen(string setting, out string notice)
    {
        string mounts = Path.Combine(Root, "mountinfo");
        File.WriteAllText(mounts, _mounts.ToString());
        return CgroupfsRoot.Open(setting, out notice, Path.Combine(Root, "no-host"), Root, mounts);
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
