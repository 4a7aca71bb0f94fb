using BenchmarkDotNet.Attributes;
using ThreadExporter.Procfs;

namespace ThreadExporter.Benchmarks;

/// <summary>The parsers that a collection runs once per thread or process.</summary>
public class ParserBenchmarks
{
    private readonly byte[] _stat =
        "4742 (tp_osd_tp) S 4711 4711 4711 0 -1 1077936192 120034 0 17 0 812345 90211 0 0 20 0 312 0 88123 9876543210 812345 18446744073709551615 1 1 0 0 0 0 0 4096 17663 0 0 0 -1 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n"u8.ToArray();

    private readonly byte[] _schedStat = "987654321012 12345678901 7654321\n"u8.ToArray();
    private readonly byte[] _statm = "2411265 198326 5120 13 0 301222 0\n"u8.ToArray();

    [Benchmark]
    public ulong ThreadStat() => ProcStat.TryParse(_stat, out ProcStat stat) ? stat.UserTicks : throw new InvalidOperationException();

    [Benchmark]
    public long ThreadSchedStat() => ProcSchedstat.TryParse(_schedStat, out ProcSchedstat sched) ? sched.RunNanoseconds : throw new InvalidOperationException();

    [Benchmark]
    public long ProcessStatm() => ProcStatm.TryParse(_statm, out ProcStatm statm) ? statm.Resident : throw new InvalidOperationException();
}
