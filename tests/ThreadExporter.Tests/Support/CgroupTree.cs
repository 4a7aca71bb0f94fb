using System.Diagnostics;

namespace ThreadExporter.Tests.Support;

/// <summary>
/// A cgroup of cgroup v2 that is used as a host's root, with processes in cgroups below it. Programs run in a cgroup namespace that
/// is rooted there, as the host's is, or in one that is rooted at their own cgroup, as a container's is.
/// </summary>
internal sealed class CgroupTree : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    private readonly string _root;
    private readonly List<Process> _processes = [];

    private CgroupTree(string root) => _root = root;

    public static CgroupTree Create()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/usr/bin/unshare"), "needs root and unshare(1) for cgroups and a cgroup namespace");
        string? mount = File.ReadLines("/proc/self/mounts").Select(static l => l.Split(' ')).FirstOrDefault(static f => f[2] == "cgroup2")?[1];
        Assert.SkipWhen(mount is null, "cgroup v2 is not mounted");
        string root = Path.Combine(mount!, $"thread-exporter-test-{Environment.ProcessId}-{Guid.NewGuid():N}");
        try
        {
            Directory.CreateDirectory(root);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Assert.Skip($"{mount} does not accept a new cgroup: {e.Message}");
        }
        return new CgroupTree(root);
    }

    /// <summary>A process that sleeps in the cgroup.</summary>
    public int Start(string cgroup)
    {
        ProcessStartInfo start = new("/bin/sh", ["-c", "echo $$ > \"$1/cgroup.procs\" && echo there && exec sleep 1000", "sh", Make(cgroup)]) { RedirectStandardOutput = true };
        Process process = Process.Start(start)!;
        _processes.Add(process);
        Assert.Equal("there", process.StandardOutput.ReadLine());
        return process.Id;
    }

    /// <summary>Runs a program in the cgroup until it ends, which must be with exit code 0, and returns what it wrote.</summary>
    /// <param name="cgroup">Its own cgroup.</param>
    /// <param name="isPrivate">Whether its cgroup namespace is rooted there, or at the tree's root.</param>
    /// <param name="command">Program and arguments.</param>
    public async Task<string> RunAsync(string cgroup, bool isPrivate, params string[] command)
    {
        const string Script = "echo $$ > \"$1/cgroup.procs\" && exec unshare --cgroup /bin/sh -c 'echo $$ > \"$1/cgroup.procs\" && shift && exec \"$@\"' sh \"$2\" \"${@:3}\"";
        string own = Make(cgroup);
        ProcessStartInfo start = new("/bin/bash", ["-c", Script, "bash", isPrivate ? own : _root, own, .. command]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(Timeout);
        Assert.True(process.ExitCode == 0, await error);
        return await output;
    }

    public void Dispose()
    {
        foreach (Process process in _processes)
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
        // The files in a cgroup cannot be deleted and need not be: rmdir takes a cgroup without processes.
        foreach (string folder in Directory.EnumerateDirectories(_root, "*", SearchOption.AllDirectories).OrderByDescending(static f => f.Length).Append(_root))
            Directory.Delete(folder);
    }

    private string Make(string cgroup) => Directory.CreateDirectory(Path.Combine(_root, cgroup)).FullName;
}
