using System.Diagnostics;
using System.Globalization;

namespace ThreadExporter.Tests.Support;

/// <summary>
/// Real cgroups of version 1, with the same path in the hierarchies of cpu and cpuacct, or of version 2; and processes that use all the CPU time
/// that they get there.
/// </summary>
internal sealed class QuotaCgroups : IDisposable
{
    private const string Burn = "for cgroup in \"$@\"; do echo $$ > \"$cgroup/cgroup.procs\" || exit; done; echo there; while :; do :; done";

    private readonly string _name = $"te-test-{Environment.ProcessId}-{Guid.NewGuid():N}"[..40];
    private readonly string[] _hierarchies;
    private readonly List<Process> _processes = [];

    private QuotaCgroups(string root, string[] hierarchies) => (Root, _hierarchies) = (root, hierarchies);

    /// <summary>The key <c>collector.cgroupfs</c> for them.</summary>
    public string Root { get; }

    /// <summary>Label <c>cgroup</c> of the outermost.</summary>
    public string Path => $"/{_name}";

    public static QuotaCgroups CreateVersion1() => Create("/sys/fs/cgroup", ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpuacct"], "cpu.cfs_quota_us");

    public static QuotaCgroups CreateVersion2()
    {
        string? mount = System.IO.File.ReadLines("/proc/self/mounts").Select(static l => l.Split(' ')).FirstOrDefault(static f => f[2] == "cgroup2")?[1];
        Assert.SkipWhen(mount is null, "cgroup v2 is not mounted");
        return Create(mount!, [mount!], "cpu.stat");
    }

    private static QuotaCgroups Create(string root, string[] hierarchies, string file)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root to make a cgroup");
        Assert.SkipUnless(System.IO.File.Exists($"{hierarchies[0]}/{file}"), $"{hierarchies[0]} is not a hierarchy with {file}");
        QuotaCgroups cgroups = new(root, hierarchies);
        try
        {
            cgroups.Make("");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Assert.Skip($"{hierarchies[0]} does not accept a new cgroup: {e.Message}");
        }
        return cgroups;
    }

    /// <summary>Makes a cgroup below the outermost, in each hierarchy.</summary>
    public void Make(string child)
    {
        foreach (string directory in Directories(child))
            Directory.CreateDirectory(directory);
    }

    public void Remove(string child)
    {
        foreach (string directory in Directories(child))
            Eventually.True(() => TryRemove(directory), $"{directory} is removed");
    }

    /// <summary>Lets it use a share of a core (version 1).</summary>
    public void Limit(double cores, string child = "") => System.IO.File.WriteAllText($"{Directories(child)[0]}/cpu.cfs_quota_us", ((int)(cores * 100_000)).ToString(CultureInfo.InvariantCulture));

    /// <summary>Starts a process that uses all CPU time that it gets.</summary>
    public int Start(string child = "")
    {
        Process process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", Burn, "sh", .. Directories(child)]) { RedirectStandardOutput = true })!;
        _processes.Add(process);
        Assert.Equal("there", process.StandardOutput.ReadLine());
        return process.Id;
    }

    public void Move(int pid, string child)
    {
        foreach (string directory in Directories(child))
            System.IO.File.WriteAllText($"{directory}/cgroup.procs", pid.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Kills the processes.</summary>
    public void Stop()
    {
        foreach (Process process in _processes)
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
        _processes.Clear();
    }

    /// <summary>A number of the kernel: a line of a file, or the whole file.</summary>
    public long Read(string file, string? key = null, string child = "")
    {
        string text = System.IO.File.ReadAllText(Directories(child).Select(d => $"{d}/{file}").First(System.IO.File.Exists));
        string number = key is null ? text : text.Split('\n').Single(l => l.StartsWith(key + " ", StringComparison.Ordinal))[(key.Length + 1)..];
        return long.Parse(number, CultureInfo.InvariantCulture);
    }

    /// <summary>The directories of a cgroup, one in each hierarchy.</summary>
    public string[] Directories(string child = "") => [.. _hierarchies.Select(h => $"{h}/{_name}/{child}".TrimEnd('/'))];

    public void Dispose()
    {
        Stop();
        foreach (string directory in Directories().Where(Directory.Exists))
        {
            foreach (string below in Directory.EnumerateDirectories(directory, "*", SearchOption.AllDirectories).OrderByDescending(static d => d.Length).Append(directory))
                Eventually.True(() => TryRemove(below), $"{below} is removed");
        }
    }

    // A process that was killed is in its cgroup for a moment longer.
    private static bool TryRemove(string directory)
    {
        try
        {
            Directory.Delete(directory);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
