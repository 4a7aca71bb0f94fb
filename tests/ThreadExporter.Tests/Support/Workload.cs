using System.Diagnostics;
using System.Globalization;

namespace ThreadExporter.Tests.Support;

/// <summary>A child process whose threads do what the test says (tests/Workload).</summary>
internal sealed class Workload : IDisposable
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "workload");

    private readonly Process _process;

    public Workload()
        : this(Program, [])
    {
        Pid = _process.Id;
    }

    private Workload(string program, string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        _process = Process.Start(start)!;
        // A response shows that its main loop runs.
        Ask("hello");
    }

    public int Pid { get; private init; }

    /// <summary>The /proc that shows <see cref="Pid"/> and the tids as they are returned here.</summary>
    public string Procfs { get; private set; } = "/proc";

    /// <summary>As process 1 of a pid namespace of its own, where no other process takes pids: for tests that force their reuse.</summary>
    public static Workload InOwnPidNamespace()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/usr/bin/unshare"), "needs root and unshare(1) for a pid namespace");
        Workload workload = new("/usr/bin/unshare", ["--pid", "--fork", "--kill-child", "--mount-proc", Program]) { Pid = 1 };
        int unshare = workload._process.Id;
        string init = File.ReadAllText($"/proc/{unshare}/task/{unshare}/children").Trim();
        workload.Procfs = $"/proc/{init}/root/proc";
        return workload;
    }

    /// <summary>A thread that is idle, burns, or is busy for a percentage of the time. Returns its tid.</summary>
    public int Spawn(string name, string mode) => int.Parse(Ask($"spawn {name} {mode}"), CultureInfo.InvariantCulture);

    public void Rename(int tid, ReadOnlySpan<byte> name) => Ask($"rename {tid} {Convert.ToHexString(name)}");

    public void Exit(int tid) => Ask($"exit {tid}");

    public void Churn(int threads, int milliseconds) => Ask($"churn {threads} {milliseconds}");

    /// <summary>The thread's own CPU clock in nanoseconds.</summary>
    public long Cpu(int tid) => long.Parse(Ask($"cpu {tid}"), CultureInfo.InvariantCulture);

    /// <summary>Any command, as tests/Workload describes it, that is answered by <c>ok</c>.</summary>
    public void Do(string command) => Assert.Equal("ok", Ask(command));

    /// <summary>Any command that is answered by a number.</summary>
    public int Get(string command) => int.Parse(Ask(command), CultureInfo.InvariantCulture);

    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            Kill();
        _process.Dispose();
    }

    public string Ask(string line)
    {
        _process.StandardInput.WriteLine(line);
        return _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"the workload ended at `{line}`");
    }
}
