using System.Buffers;
using System.Runtime.InteropServices;
using ThreadExporter.Collection;
using ThreadExporter.Configuration;
using ThreadExporter.Model;

namespace ThreadExporter.Exposition;

/// <summary>Renders the metrics of threads, processes and groups of a collection.</summary>
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

    /// <summary>Writes the metrics of processes, groups and their threads as the last collection found them. The caller holds the collection gate.</summary>
    /// <param name="owners">The processes and groups to write.</param>
    /// <param name="isShown">Whether the exited processes of a filter are written, by its name.</param>
    /// <param name="collector">Its last collection determines which families are written.</param>
    /// <param name="sampler">Whether the sampler's families are written.</param>
    /// <param name="writer">Receives the text.</param>
    public static void Write(IReadOnlyList<SeriesOwner> owners, Predicate<string> isShown, Collector collector, SamplerConfig sampler, ExpositionWriter writer)
    {
        foreach (SeriesOwner owner in owners)
            OwnerLabels.Render(owner);

        WriteColumns(owners, writer, CpuTimes);
        if (collector.HasSchedInfo)
        {
            WriteColumns(owners, writer, SchedInfo);
            if (sampler.Enabled)
            {
                WriteColumns(owners, writer, Saturation);
                WritePeaks(owners, writer);
            }
        }
        WriteNameSeriesThreads(owners, writer);
        WriteColumns(owners, writer, Extended.Where(c => (c.Extended & collector.Extended) != 0));
        if ((collector.Extended & ExtendedKinds.LastCpu) != 0)
            WriteLastCpu(owners, writer);

        Seconds(owners, writer, MetricCatalog.ProcessCpuUser, static o => o.User);
        Seconds(owners, writer, MetricCatalog.ProcessCpuKernel, static o => o.Kernel);
        Seconds(owners, writer, MetricCatalog.ProcessCpu, static o => o.Balance.Cpu);
        Seconds(owners, writer, MetricCatalog.ProcessFolded, static o => o.Balance.Folded);
        Seconds(owners, writer, MetricCatalog.ProcessTransient, static o => o.Balance.Transient);
        ExitedMetrics.Threads(owners, writer);
        WaitedChildren(owners, writer);
        writer.Head(MetricCatalog.ProcessThreads);
        foreach (SeriesOwner owner in owners)
            writer.Number(MetricCatalog.ProcessThreads.Utf8Name, owner.RenderedLabels.Text, owner.Processes().Sum(static p => p.Threads.Count));
        ThreadsByState(owners, writer);
        StartTimes(owners, writer);
        Groups(owners, writer);
        if (collector.Cgroups is { } cgroups)
            CgroupMetrics.Write(owners, cgroups, writer);
        ExitedMetrics.Processes(collector.Exits.Processes.Entries.Where(p => isShown(p.Filter)), writer);
    }

    /// <summary>Writes one family per column, with the series whose value is known.</summary>
    private static void WriteColumns(IReadOnlyList<SeriesOwner> owners, ExpositionWriter writer, IEnumerable<Column> columns)
    {
        foreach (Column column in columns)
        {
            writer.Head(column.Family);
            byte[] name = column.Family.Utf8Name;
            foreach (SeriesOwner owner in owners)
            {
                foreach (ThreadSeries series in CollectionsMarshal.AsSpan(owner.Selection.Shown))
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

    private static void WritePeaks(IReadOnlyList<SeriesOwner> owners, ExpositionWriter writer)
    {
        writer.Head(MetricCatalog.ThreadPeak);
        foreach (SeriesOwner owner in owners)
        {
            // Four decimals: more than the kernel's tick resolves.
            foreach (ThreadSeries series in CollectionsMarshal.AsSpan(owner.Selection.Shown))
                writer.Seconds(MetricCatalog.ThreadPeak.Utf8Name, series.RenderedLabels.Text, (long)Math.Round(series.Peak * 10_000) * 100_000);
        }
    }

    private static void WriteLastCpu(IReadOnlyList<SeriesOwner> owners, ExpositionWriter writer)
    {
        writer.Head(MetricCatalog.ThreadLastCpu);
        foreach (SeriesOwner owner in owners)
        {
            foreach (ThreadSeries series in CollectionsMarshal.AsSpan(owner.Selection.Shown))
            {
                if (series.LastCpu >= 0)
                    writer.Number(MetricCatalog.ThreadLastCpu.Utf8Name, series.RenderedLabels.Text, series.LastCpu);
            }
        }
    }

    // Without name series the family is omitted.
    private static void WriteNameSeriesThreads(IReadOnlyList<SeriesOwner> owners, ExpositionWriter writer)
    {
        bool headed = false;
        foreach (SeriesOwner owner in owners)
        {
            foreach (ThreadSeries series in CollectionsMarshal.AsSpan(owner.Selection.Shown))
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

    private static void Seconds(IReadOnlyList<SeriesOwner> owners, ExpositionWriter writer, MetricFamily family, Func<SeriesOwner, long> nanoseconds)
    {
        writer.Head(family);
        foreach (SeriesOwner owner in owners)
            writer.Seconds(family.Utf8Name, owner.RenderedLabels.Text, nanoseconds(owner));
    }

    // A group has them in its CPU time.
    private static void WaitedChildren(IReadOnlyList<SeriesOwner> owners, ExpositionWriter writer)
    {
        writer.Head(MetricCatalog.ProcessWaitedChildren);
        foreach (SeriesOwner owner in owners)
        {
            if (owner is WatchedProcess process)
                writer.Seconds(MetricCatalog.ProcessWaitedChildren.Utf8Name, owner.RenderedLabels.Text, process.Reading.Waited.Total);
        }
    }

    private static void StartTimes(IReadOnlyList<SeriesOwner> owners, ExpositionWriter writer)
    {
        writer.Head(MetricCatalog.ProcessStartTime);
        foreach (SeriesOwner owner in owners)
        {
            if (owner.Processes().Count > 0)
                writer.Seconds(MetricCatalog.ProcessStartTime.Utf8Name, owner.RenderedLabels.Text, owner.Processes().Min(static p => p.StartTime));
        }
    }

    // Without groups the family is omitted.
    private static void Groups(IReadOnlyList<SeriesOwner> owners, ExpositionWriter writer)
    {
        bool headed = false;
        foreach (SeriesOwner owner in owners)
        {
            if (owner is not ProcessGroup)
                continue;
            if (!headed)
                writer.Head(MetricCatalog.GroupProcesses);
            headed = true;
            writer.Number(MetricCatalog.GroupProcesses.Utf8Name, owner.RenderedLabels.Text, owner.Processes().Count);
        }
    }

    private static void ThreadsByState(IReadOnlyList<SeriesOwner> owners, ExpositionWriter writer)
    {
        writer.Head(MetricCatalog.ProcessThreadsByState);
        Span<int> counts = stackalloc int[128];
        foreach (SeriesOwner owner in owners)
        {
            counts.Clear();
            foreach (WatchedProcess process in CollectionsMarshal.AsSpan(owner.Processes()))
            {
                foreach (WatchedThread thread in CollectionsMarshal.AsSpan(process.Threads))
                    counts[thread.Reading.State & 0x7f]++;
            }
            byte[] shared = owner.RenderedLabels.Text!;
            byte[] labels = ArrayPool<byte>.Shared.Rent(shared.Length + 16);
            // The label set of the owner, with another label in place of the closing brace.
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

    /// <summary>A metric family of the thread series.</summary>
    /// <param name="Family">Its name, type and help.</param>
    /// <param name="Kind">The counter that it shows.</param>
    /// <param name="Extended">The value of <c>collector.extended</c> that enables it; 0: always on.</param>
    /// <param name="IsSeconds">The counter is in nanoseconds and shown in seconds.</param>
    private sealed record Column(MetricFamily Family, CounterKind Kind, ExtendedKinds Extended = 0, bool IsSeconds = false);
}
