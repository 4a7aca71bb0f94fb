using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using ThreadExporter.Collection;
using ThreadExporter.Configuration;
using ThreadExporter.Model;

namespace ThreadExporter.Exposition;

/// <summary>Renders the thread and process metrics of a collection. Label sets are rendered once per series and kept until a label changes.</summary>
internal static class ThreadMetrics
{
    // Always written, so that a series does not come and go with a state. Other letters are written only while a thread has that state.
    private const string CommonStates = "RSDTtZI";

    private static readonly Column[] CpuTimes =
    [
        new(MetricCatalog.ThreadCpuUser, CounterKind.User, IsSeconds: true),
        new(MetricCatalog.ThreadCpuKernel, CounterKind.Kernel, IsSeconds: true),
        new(MetricCatalog.ThreadCpu, CounterKind.Cpu, IsSeconds: true),
    ];

    private static readonly Column[] SchedInfo =
    [
        new(MetricCatalog.ThreadRunqueue, CounterKind.Wait, IsSeconds: true),
        new(MetricCatalog.ThreadTimeslices, CounterKind.Timeslices),
    ];

    private static readonly Column[] Saturation = [new(MetricCatalog.ThreadSaturated, CounterKind.Saturated, IsSeconds: true)];

    private static readonly Column[] Extended =
    [
        new(MetricCatalog.ThreadVoluntarySwitches, CounterKind.VoluntarySwitches, ExtendedKinds.ContextSwitches),
        new(MetricCatalog.ThreadInvoluntarySwitches, CounterKind.InvoluntarySwitches, ExtendedKinds.ContextSwitches),
        new(MetricCatalog.ThreadMinorFaults, CounterKind.MinorFaults, ExtendedKinds.Faults),
        new(MetricCatalog.ThreadMajorFaults, CounterKind.MajorFaults, ExtendedKinds.Faults),
        new(MetricCatalog.ThreadIoReadBytes, CounterKind.ReadBytes, ExtendedKinds.Io),
        new(MetricCatalog.ThreadIoWriteBytes, CounterKind.WriteBytes, ExtendedKinds.Io),
    ];

    /// <summary>Writes the metrics of processes and their threads as the last collection found them. The caller holds the collection gate.</summary>
    /// <param name="processes">The processes to write.</param>
    /// <param name="collector">Its last collection determines which families are written.</param>
    /// <param name="sampler">Whether the sampler's families are written.</param>
    /// <param name="writer">Receives the text.</param>
    public static void Write(IReadOnlyList<WatchedProcess> processes, Collector collector, SamplerConfig sampler, ExpositionWriter writer)
    {
        foreach (WatchedProcess process in processes)
            RenderLabels(process);

        WriteColumns(processes, writer, CpuTimes);
        if (collector.HasSchedInfo)
        {
            WriteColumns(processes, writer, SchedInfo);
            if (sampler.Enabled)
            {
                WriteColumns(processes, writer, Saturation);
                WritePeaks(processes, writer);
            }
        }
        WriteNameSeriesThreads(processes, writer);
        WriteColumns(processes, writer, Extended.Where(c => (c.Extended & collector.Extended) != 0));
        if ((collector.Extended & ExtendedKinds.LastCpu) != 0)
            WriteLastCpu(processes, writer);

        ProcessSeconds(processes, writer, MetricCatalog.ProcessCpuUser, static p => p.Reading.User);
        ProcessSeconds(processes, writer, MetricCatalog.ProcessCpuKernel, static p => p.Reading.Kernel);
        ProcessSeconds(processes, writer, MetricCatalog.ProcessCpu, static p => p.Balance.Cpu);
        ProcessSeconds(processes, writer, MetricCatalog.ProcessFolded, static p => p.Balance.Folded);
        ProcessSeconds(processes, writer, MetricCatalog.ProcessTransient, static p => p.Balance.Transient);
        writer.Head(MetricCatalog.ProcessThreads);
        foreach (WatchedProcess process in processes)
            writer.Number(MetricCatalog.ProcessThreads.Utf8Name, process.RenderedLabels.Text, process.Threads.Count);
        ThreadsByState(processes, writer);
        ProcessSeconds(processes, writer, MetricCatalog.ProcessStartTime, static p => p.StartTime);
    }

    /// <summary>Writes one family per column, with the series whose value is known.</summary>
    private static void WriteColumns(IReadOnlyList<WatchedProcess> processes, ExpositionWriter writer, IEnumerable<Column> columns)
    {
        foreach (Column column in columns)
        {
            writer.Head(column.Family);
            byte[] name = column.Family.Utf8Name;
            foreach (WatchedProcess process in processes)
            {
                foreach (ThreadSeries series in CollectionsMarshal.AsSpan(process.Selection.Shown))
                {
                    long value = series.Shown[column.Kind];
                    if (value < 0)
                        continue;
                    if (column.IsSeconds)
                        writer.Seconds(name, series.RenderedLabels.Text, value);
                    else
                        writer.Number(name, series.RenderedLabels.Text, value);
                }
            }
        }
    }

    private static void WritePeaks(IReadOnlyList<WatchedProcess> processes, ExpositionWriter writer)
    {
        writer.Head(MetricCatalog.ThreadPeak);
        foreach (WatchedProcess process in processes)
        {
            // Four decimals: more than the kernel's tick resolves.
            foreach (ThreadSeries series in CollectionsMarshal.AsSpan(process.Selection.Shown))
                writer.Seconds(MetricCatalog.ThreadPeak.Utf8Name, series.RenderedLabels.Text, (long)Math.Round(series.Peak * 10_000) * 100_000);
        }
    }

    private static void WriteLastCpu(IReadOnlyList<WatchedProcess> processes, ExpositionWriter writer)
    {
        writer.Head(MetricCatalog.ThreadLastCpu);
        foreach (WatchedProcess process in processes)
        {
            foreach (ThreadSeries series in CollectionsMarshal.AsSpan(process.Selection.Shown))
            {
                if (series.LastCpu >= 0)
                    writer.Number(MetricCatalog.ThreadLastCpu.Utf8Name, series.RenderedLabels.Text, series.LastCpu);
            }
        }
    }

    // The family is left out when there is no name series.
    private static void WriteNameSeriesThreads(IReadOnlyList<WatchedProcess> processes, ExpositionWriter writer)
    {
        bool headed = false;
        foreach (WatchedProcess process in processes)
        {
            foreach (ThreadSeries series in CollectionsMarshal.AsSpan(process.Selection.Shown))
            {
                if (!series.IsNameSeries)
                    break;
                if (!headed)
                    writer.Head(MetricCatalog.ThreadGroupThreads);
                headed = true;
                writer.Number(MetricCatalog.ThreadGroupThreads.Utf8Name, series.RenderedLabels.Text, series.Members);
            }
        }
    }

    private static void ProcessSeconds(IReadOnlyList<WatchedProcess> processes, ExpositionWriter writer, MetricFamily family, Func<WatchedProcess, long> nanoseconds)
    {
        writer.Head(family);
        foreach (WatchedProcess process in processes)
            writer.Seconds(family.Utf8Name, process.RenderedLabels.Text, nanoseconds(process));
    }

    private static void ThreadsByState(IReadOnlyList<WatchedProcess> processes, ExpositionWriter writer)
    {
        writer.Head(MetricCatalog.ProcessThreadsByState);
        Span<int> counts = stackalloc int[128];
        foreach (WatchedProcess process in processes)
        {
            counts.Clear();
            foreach (WatchedThread thread in process.Threads)
                counts[thread.Reading.State & 0x7f]++;
            byte[] shared = process.RenderedLabels.Text!;
            byte[] labels = ArrayPool<byte>.Shared.Rent(shared.Length + 16);
            // The label set of the process, with another label in place of the closing brace.
            shared.CopyTo(labels, 0);
            ",state=\"?\"}"u8.CopyTo(labels.AsSpan(shared.Length - 1));
            int length = shared.Length - 1 + ",state=\"?\"}".Length;
            for (int state = 0; state < counts.Length; state++)
            {
                if (counts[state] == 0 && !CommonStates.Contains((char)state))
                    continue;
                labels[length - 3] = (byte)state;
                writer.Number(MetricCatalog.ProcessThreadsByState.Utf8Name, labels.AsSpan(0, length), counts[state]);
            }
            ArrayPool<byte>.Shared.Return(labels);
        }
    }

    private static void RenderLabels(WatchedProcess process)
    {
        byte[]? buffer = null;
        if (!process.RenderedLabels.IsCurrent(process.LabelsVersion))
        {
            LabelText text = new(buffer = RentFor(process));
            text.Add("daemon"u8, process.Daemon);
            text.Add("pid"u8, process.Pid);
            text.Add("pname"u8, process.Name);
            AddCgroupLabels(ref text, process);
            process.RenderedLabels.Set(text.Finish(), process.LabelsVersion);
        }
        foreach (ThreadSeries series in CollectionsMarshal.AsSpan(process.Selection.Shown))
        {
            if (series.RenderedLabels.IsCurrent(process.LabelsVersion))
                continue;
            LabelText text = new(buffer ??= RentFor(process));
            text.Add("daemon"u8, process.Daemon);
            text.Add("ppid"u8, process.Pid);
            text.Add("pname"u8, process.Name);
            if (!series.IsNameSeries)
                text.Add("tid"u8, series.Tid);
            text.Add("tname"u8, series.Name);
            AddCgroupLabels(ref text, process);
            series.RenderedLabels.Set(text.Finish(), process.LabelsVersion);
        }
        if (buffer is not null)
            ArrayPool<byte>.Shared.Return(buffer);
    }

    private static void AddCgroupLabels(ref LabelText text, WatchedProcess process)
    {
        foreach ((string name, byte[] value) in process.CgroupLabels)
            text.Add(Encoding.UTF8.GetBytes(name), value);
    }

    // 256 bytes for a task name, which has at most 64 (kernel workers).
    private static byte[] RentFor(WatchedProcess process) =>
        ArrayPool<byte>.Shared.Rent(128 + LabelText.MaxLength(process.Daemon.Length + process.Name.Length + 256 + process.CgroupLabels.Sum(l => 32 + l.Value.Length)));

    /// <summary>A metric family of the thread series.</summary>
    /// <param name="Family">Its name, type and help.</param>
    /// <param name="Kind">The counter that it shows.</param>
    /// <param name="Extended">The value of <c>collector.extended</c> that enables it; 0: always on.</param>
    /// <param name="IsSeconds">The counter is in nanoseconds and shown in seconds.</param>
    private sealed record Column(MetricFamily Family, CounterKind Kind, ExtendedKinds Extended = 0, bool IsSeconds = false);
}
