using System.Diagnostics;
using ThreadExporter.HotThreads;
using ThreadExporter.Linux;
using ThreadExporter.Recording;
using static ThreadExporter.Tests.Recording.RecorderFolder;

namespace ThreadExporter.Tests.Recording;

/// <summary>A whole day: 17,280 intervals with 50 active threads of 1,000.</summary>
public sealed class RecordedDayTests(ITestOutputHelper output) : IDisposable
{
    private const int Intervals = 24 * 3600 / 5, Active = 50;
    private const long MaxSize = 64 * 1024 * 1024;

    private readonly RecorderFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SlowFact]
    public void A_day_fits_and_any_moment_of_it_is_found_quickly()
    {
        Random random = new(1);
        using RecorderStore store = _folder.Open();
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < Intervals; i++)
            store.Write(Interval(i, Rows(random)), TimeSpan.FromHours(24), MaxSize);
        double write = Stopwatch.GetElapsedTime(start).TotalMilliseconds / Intervals;
        long bytes = store.Bytes;
        output.WriteLine($"a day: {bytes / 1e6:0.0} MB, {(double)bytes / Intervals:0} bytes and {write:0.00} ms for an interval");
        Assert.InRange(bytes, 1, MaxSize);
        Assert.Equal(Intervals, store.Database.Number("SELECT count(*) FROM interval"));

        RecorderQueries queries = new(store.Database);
        double moment = 0;
        for (int i = 0; i < 200; i++)
        {
            long time = Start + 5000L * random.Next(Intervals);
            start = Stopwatch.GetTimestamp();
            HotInterval? found = queries.At(time, 5000);
            moment = Math.Max(moment, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            Assert.Equal(Active, found!.Rows.Length);
        }
        RecordedRange all = queries.Range()!.Value;
        start = Stopwatch.GetTimestamp();
        RecordedStep[] steps = RecordedSteps.Divide(all, 288, queries.Sums(all));
        double picture = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        start = Stopwatch.GetTimestamp();
        long cpu = Clocks.ThreadCpuNanoseconds();
        RecordedReport report = new(0.9, 20);
        foreach (HotInterval interval in queries.Intervals(all))
            report.Add(interval);
        double whole = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        output.WriteLine($"a moment: {moment:0.0} ms at most; the picture of the day: {picture:0} ms; a report of the day: {whole:0} ms, {(Clocks.ThreadCpuNanoseconds() - cpu) / 1e6:0} ms of CPU");
        Assert.All(steps, s => Assert.InRange(s.Intervals, 60, 62));
        Assert.Equal(20, report.ByCpu.Count());
        Assert.InRange(moment, 0, 100);
        Assert.True(whole < RecorderQueue.QueryTimeout.TotalMilliseconds, "a report of a day is made in time");
    }

    // Names and pids as of a database server; a tenth of the threads waited for others, with a sentence that is rarely the same.
    private static HotThreadRow[] Rows(Random random)
    {
        HotProcessRow[] processes = [.. Enumerable.Range(0, 5).Select(i => Process(2_000_000 + i, $"process-{i}", 5 * Second))];
        HotThreadRow[] rows = new HotThreadRow[Active];
        for (int i = 0; i < Active; i++)
        {
            bool starved = random.Next(10) == 0;
            int number = random.Next(1000);
            rows[i] = Row(2_001_000 + number, $"worker-{number % 200}", random.NextInt64(50_000_000, 4_999_000_000), random.NextInt64(1_000_000_000),
                starved ? Verdict.Starved : Verdict.Running, starved ? $"others use the CPUs (postgres {random.Next(100)} %, java {random.Next(100)} %)" : "", processes[number % 5]);
        }
        Array.Sort(rows, (a, b) => b.Cpu.CompareTo(a.Cpu));
        return rows;
    }
}
