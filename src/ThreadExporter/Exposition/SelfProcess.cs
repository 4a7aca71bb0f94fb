using System.Diagnostics;
using Prometheus;
using ThreadExporter.Procfs;

namespace ThreadExporter.Exposition;

/// <summary>
/// The standard <c>process_*</c> metrics of this daemon, by the names that Prometheus's client libraries share. Read from
/// its own /proc/self, whatever /proc it watches.
/// </summary>
internal sealed class SelfProcess
{
    private readonly Counter _cpu;
    private readonly Gauge _resident;
    private readonly Gauge _virtual;
    private readonly Gauge _openFds;
    private readonly List<int> _ids = [];

    public SelfProcess(Counter cpu, Gauge resident, Gauge virtualMemory, Gauge openFds, Gauge maxFds, Gauge startTime)
    {
        (_cpu, _resident, _virtual, _openFds) = (cpu, resident, virtualMemory, openFds);
        maxFds.Set(Limits.OpenFiles());
        using Process self = Process.GetCurrentProcess();
        startTime.Set(new DateTimeOffset(self.StartTime).ToUnixTimeMilliseconds() / 1000.0);
    }

    public void Update()
    {
        if (Clocks.TryGetProcessCpu(Environment.ProcessId, out long cpu))
            _cpu.IncTo(cpu / 1e9);
        using Process self = Process.GetCurrentProcess();
        _resident.Set(self.WorkingSet64);
        _virtual.Set(self.VirtualMemorySize64);
        if (ProcFile.ListIds(-1, "/proc/self/fd"u8, _ids) == ReadStatus.Ok)
            _openFds.Set(_ids.Count);
    }
}
