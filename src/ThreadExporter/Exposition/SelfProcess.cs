using Prometheus;
using ThreadExporter.Linux;
using ThreadExporter.Procfs;

namespace ThreadExporter.Exposition;

/// <summary>
/// The standard <c>process_*</c> metrics of the daemon, with the names that all Prometheus client libraries use. Always read from
/// /proc/self, also when another /proc is watched.
/// </summary>
internal sealed class SelfProcess
{
    // Before Linux 6.2 the descriptors must be listed, which takes 10 ms for 10,000 of them: not for each scrape.
    private static readonly long ListInterval = (long)TimeSpan.FromMinutes(1).TotalMilliseconds;

    private readonly Counter _cpu;
    private readonly Gauge _resident;
    private readonly Gauge _virtual;
    private readonly Gauge _openFds;
    private readonly Gauge _maxFds;
    private readonly byte[] _buffer = new byte[4096];
    private readonly List<int> _ids = [];
    private long _listAt;

    public SelfProcess(Counter cpu, Gauge resident, Gauge virtualMemory, Gauge openFds, Gauge maxFds, Gauge startTime)
    {
        (_cpu, _resident, _virtual, _openFds, _maxFds) = (cpu, resident, virtualMemory, openFds, maxFds);
        if (RawFile.ReadOnce(-1, "/proc/self/stat"u8, _buffer, out int length) == ReadStatus.Ok && ProcStat.TryParse(_buffer.AsSpan(0, length), out ProcStat stat))
            startTime.Set((Clocks.BootTimeNanoseconds() + (long)stat.StartTicks * Clocks.NanosecondsPerTick) / 1e9);
    }

    /// <summary>Sets the metrics. A value that cannot be read keeps the previous one.</summary>
    public void Update()
    {
        if (Clocks.TryGetProcessCpu(Environment.ProcessId, out long cpu))
            _cpu.IncTo(cpu / 1e9);
        if (RawFile.ReadOnce(-1, "/proc/self/statm"u8, _buffer, out int length) == ReadStatus.Ok && ProcStatm.TryParse(_buffer.AsSpan(0, length), out ProcStatm memory))
        {
            if (memory.Resident >= 0)
                _resident.Set((double)memory.Resident * Environment.SystemPageSize);
            if (memory.Size >= 0)
                _virtual.Set((double)memory.Size * Environment.SystemPageSize);
        }
        _maxFds.Set(ThisProcess.MaxOpenFiles());
        if (ThisProcess.TryCountOpenFiles(out long count))
        {
            _openFds.Set(count);
        }
        else if (Environment.TickCount64 >= _listAt && RawFile.ListIds(-1, "/proc/self/fd"u8, _ids) == ReadStatus.Ok)
        {
            _openFds.Set(_ids.Count);
            _listAt = Environment.TickCount64 + ListInterval;
        }
    }
}
