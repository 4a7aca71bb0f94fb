using BenchmarkDotNet.Attributes;
using ThreadExporter.Exposition;
using ThreadExporter.Exposition.Buffers;

namespace ThreadExporter.Benchmarks;

/// <summary>The writer: numbers, a sample, a thousand samples into a body, a label set.</summary>
public class WriterBenchmarks
{
    private const int Samples = 1000;

    private readonly ChunkPool _pool = new();
    private readonly byte[] _text = new byte[512];
    private readonly byte[] _name = "perfscale_thread_cpu_seconds_total"u8.ToArray();
    private readonly byte[] _labels = """{daemon="osd.3",ppid="4711",pname="ceph-osd",tid="4742",tname="tp_osd_tp"}"""u8.ToArray();

    [Benchmark]
    public int SecondsInNanoseconds() => DecimalText.Seconds(987_654_321_012, _text);

    [Benchmark]
    public int SecondsInTicks() => DecimalText.Seconds(8_123_450_000_000, _text);

    [Benchmark]
    public int WholeNumber() => DecimalText.Whole(7_654_321, _text);

    [Benchmark(OperationsPerInvoke = Samples)]
    public int Sample()
    {
        PooledBuffer body = new(_pool);
        ExpositionWriter writer = new(body, openMetrics: false);
        for (int i = 0; i < Samples; i++)
            writer.Seconds(_name, _labels, 987_654_321_012);
        int length = body.Length;
        body.Release();
        return length;
    }

    [Benchmark]
    public int LabelSet()
    {
        LabelText text = new(_text);
        text.Add("daemon"u8, "osd.3"u8);
        text.Add("ppid"u8, 4711);
        text.Add("pname"u8, "ceph-osd"u8);
        text.Add("tid"u8, 4742);
        text.Add("tname"u8, "tp_osd_tp"u8);
        return text.Finish().Length;
    }
}
