using System.Diagnostics;
using ThreadExporter.Cgroups;
using ThreadExporter.Exposition;

namespace ThreadExporter.Tests.EndToEnd;

/// <summary>The privileges that docs/security.md lists: the daemon runs as an unprivileged user and watches the process of another user.</summary>
public sealed class PrivilegeTests : IDisposable
{
    private const string SetPriv = "/usr/bin/setpriv";
    private static readonly string[] Nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"];
    private static readonly string[] MayTrace = ["--inh-caps=+sys_ptrace,+dac_read_search", "--ambient-caps=+sys_ptrace,+dac_read_search"];

    private readonly Process _watched = Process.Start("/bin/sleep", "60");
    private readonly string _directory = Directory.CreateTempSubdirectory("te-privilege-").FullName;

    public PrivilegeTests()
    {
        // Another user must have access to it, wherever the tests are.
        File.SetUnixFileMode(_directory, Support.Daemon.ReadableByAll);
        Support.Daemon.CopyProgram(_directory);
    }

    public void Dispose()
    {
        _watched.Kill();
        _watched.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public void All_metrics_except_io_and_all_match_keys_except_exe_work_without_privileges()
    {
        Support.ParsedScrape text = Support.ParsedScrape.Parse(Run(Nobody, "once", Config("comm = \"sleep\"")));
        string pid = $"{_watched.Id}";
        string[] names = [.. text.Samples.Where(s => s.Labels.GetValueOrDefault("ppid") == pid || s.Labels.GetValueOrDefault("pid") == pid).Select(s => s.Name).Distinct()];
        string[] promised = [.. MetricCatalog.All.Select(f => f.Name).Where(n => n.StartsWith("perfscale_", StringComparison.Ordinal)
            && !n.Contains("_io_", StringComparison.Ordinal) && n != MetricCatalog.ThreadGroupThreads.Name && n != MetricCatalog.GroupProcesses.Name
            && !n.Contains("cgroup", StringComparison.Ordinal) && n != MetricCatalog.ProcessExited.Name && n != MetricCatalog.ProcessExits.Name && n != MetricCatalog.ExitedProcessesCpu.Name && n != MetricCatalog.ExitedProcesses.Name)];
        Assert.Equal(promised.Order(StringComparer.Ordinal), names.Where(n => !n.Contains("cgroup", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        // Where there are cgroups with a cpu controller.
        if (CgroupfsRoot.Open("auto", out _) is not null)
        {
            string cgroup = text.Of(MetricCatalog.ProcessCgroup.Name).Single(s => s.Labels["pid"] == pid).Labels["cgroup"];
            Assert.True(text.Value(MetricCatalog.CgroupCpu.Name, ("cgroup", cgroup)) > 0);
        }
        Assert.True(text.Value("perfscale_thread_cpu_seconds_total", ("ppid", pid)) > 0);
        Assert.True(text.Value("perfscale_process_cpu_seconds_total", ("pid", pid)) > 0);
        Assert.Equal(1, text.Value("thread_exporter_read_errors_total", ("reason", "denied")));
    }

    [Fact]
    public void Io_needs_two_capabilities()
    {
        Support.ParsedScrape text = Support.ParsedScrape.Parse(Run([.. Nobody, .. MayTrace], "once", Config("comm = \"sleep\"")));
        Assert.Single(text.Of("perfscale_thread_io_read_bytes_total"), s => s.Labels["ppid"] == $"{_watched.Id}");
        Assert.Equal(0, text.Value("thread_exporter_read_errors_total", ("reason", "denied")));
    }

    [Fact]
    public void Denied_reads_are_reported()
    {
        string output = Run(Nobody, "check", Config("exe = \"*/sleep\""));
        Assert.Contains("requires the same user or CAP_SYS_PTRACE", output, StringComparison.Ordinal);
        Assert.Contains("no match", output, StringComparison.Ordinal);
        output = Run(Nobody, "check", Config("comm = \"sleep\""));
        Assert.Contains("requires the same user, or CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Exe_needs_one_capability()
    {
        string[] ptrace = [.. Nobody, "--inh-caps=+sys_ptrace", "--ambient-caps=+sys_ptrace"];
        Assert.Contains($"  {_watched.Id}  sleep  ", Run(ptrace, "check", Config("exe = \"*/sleep\"")), StringComparison.Ordinal);
    }

    private string Config(string filter)
    {
        string file = Path.Combine(_directory, "config.toml");
        File.WriteAllText(file, $"[[filter]]\n{filter}\npid = {_watched.Id}\n[collector]\nextended = [\"context_switches\", \"faults\", \"io\", \"last_cpu\"]\n");
        return file;
    }

    private string Run(string[] privileges, string command, string config)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists(SetPriv), "needs root and setpriv(1) to become another user");
        ProcessStartInfo start = new(SetPriv, [.. privileges, Path.Combine(_directory, "thread-exporter"), command, "--config", config])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        start.Environment.Remove("FILTER");
        start.Environment["HOME"] = "/";
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, output + error.Result);
        return output;
    }
}
