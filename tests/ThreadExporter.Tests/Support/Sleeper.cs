using System.Diagnostics;
using ThreadExporter.Linux;

namespace ThreadExporter.Tests.Support;

/// <summary>A real process with one thread, which uses CPU only in <see cref="Run"/>: in between its process clock does not change.</summary>
internal sealed class Sleeper : IDisposable
{
    private readonly Process _process = Process.Start(new ProcessStartInfo("/bin/cat") { RedirectStandardInput = true, RedirectStandardOutput = true })!;

    public Sleeper() => Run();

    public int Pid => _process.Id;

    /// <summary>Advances the process clock, and returns when it no longer changes.</summary>
    public void Run()
    {
        long before = Clock();
        _process.StandardInput.WriteLine();
        _process.StandardInput.Flush();
        _process.StandardOutput.ReadLine();
        Eventually.True(() => Kernel.State(Pid, Pid) == 'S' && Clock() > before, "it sleeps again");
        // It is in state S a moment before it is off its CPU.
        Eventually.True(
            () =>
            {
                long seen = Clock();
                Thread.Sleep(2);
                return Clock() == seen;
            }, "its clock does not change");
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private long Clock() => Clocks.TryGetProcessCpu(Pid, out long cpu) ? cpu : throw new InvalidOperationException("it is gone");
}
