using System.Diagnostics;
using System.Globalization;

namespace ThreadExporter.Tests.Support;

/// <summary>A child process whose threads do what the test says (tests/Workload).</summary>
internal sealed class Workload : IDisposable
{
    private readonly Process _process;

    public Workload()
    {
        ProcessStartInfo start = new(Path.Combine(AppContext.BaseDirectory, "workload"))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        _process = Process.Start(start)!;
        // Answers to something: then its main loop stands.
        Ask("hello");
    }

    public int Pid => _process.Id;

    /// <summary>A thread that is idle, burns, or is busy so many percent. Returns its tid.</summary>
    public int Spawn(string name, string mode) => int.Parse(Ask($"spawn {name} {mode}"), CultureInfo.InvariantCulture);

    public void Rename(int tid, ReadOnlySpan<byte> name) => Ask($"rename {tid} {Convert.ToHexString(name)}");

    public void Exit(int tid) => Ask($"exit {tid}");

    public void Churn(int threads, int milliseconds) => Ask($"churn {threads} {milliseconds}");

    /// <summary>Lets an idle thread run so many milliseconds by its own CPU clock, and waits for that.</summary>
    public void Burn(int tid, int milliseconds) => Ask($"burn {tid} {milliseconds}");

    /// <summary>The thread's own CPU clock in nanoseconds.</summary>
    public long Cpu(int tid) => long.Parse(Ask($"cpu {tid}"), CultureInfo.InvariantCulture);

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

    private string Ask(string line)
    {
        _process.StandardInput.WriteLine(line);
        return _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"the workload ended at `{line}`");
    }
}
