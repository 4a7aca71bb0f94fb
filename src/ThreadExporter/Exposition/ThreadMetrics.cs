using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using ThreadExporter.Collection;
using ThreadExporter.Configuration;
using ThreadExporter.Linux;
using ThreadExporter.Model;

namespace ThreadExporter.Exposition;

/// <summary>Renders what a collection found. Label sets are rendered once per thread and kept until a label changes.</summary>
internal static class ThreadMetrics
{
    // What is always shown, so that a series does not come and go with a state; the other letters only when there is one.
    private const string CommonStates = "RSDTtZI";

    /// <param name="processes">Those to be shown.</param>
    /// <param name="collector">What else the collection found.</param>
    /// <param name="sampler">Whether peaks are shown, and of how long.</param>
    /// <param name="writer">Takes the text.</param>
    public static void Write(IReadOnlyList<WatchedProcess> processes, Collector collector, SamplerConfig sampler, ExpositionWriter writer)
    {
        foreach (WatchedProcess process in processes)
            RenderLabels(process);

        Threads<User>(processes, writer, MetricCatalog.ThreadCpuUser);
        Threads<Kernel>(processes, writer, MetricCatalog.ThreadCpuKernel);
        Threads<Cpu>(processes, writer, MetricCatalog.ThreadCpu);
        if (collector.HasSchedInfo)
        {
            Threads<Wait>(processes, writer, MetricCatalog.ThreadRunqueue);
            writer.Head(MetricCatalog.ThreadTimeslices);
            foreach (WatchedProcess process in processes)
            {
                foreach (ThreadSeries series in process.Shown)
                    writer.Number(MetricCatalog.ThreadTimeslices.Utf8Name, series.RenderedLabels, series.Shown.Timeslices);
            }
            if (sampler.Enabled)
            {
                Threads<Saturated>(processes, writer, MetricCatalog.ThreadSaturated);
                ThreadPeaks(processes, writer, sampler);
            }
        }
        NameThreads(processes, writer);
        ExtendedMetrics.Write(processes, collector.Extended, writer);

        ProcessSeconds(processes, writer, MetricCatalog.ProcessCpuUser, static p => p.User);
        ProcessSeconds(processes, writer, MetricCatalog.ProcessCpuKernel, static p => p.Kernel);
        ProcessSeconds(processes, writer, MetricCatalog.ProcessCpu, static p => p.Cpu);
        ProcessSeconds(processes, writer, MetricCatalog.ProcessFolded, static p => p.Ledger.Folded);
        ProcessSeconds(processes, writer, MetricCatalog.ProcessTransient, static p => p.Ledger.Transient);
        writer.Head(MetricCatalog.ProcessThreads);
        foreach (WatchedProcess process in processes)
            writer.Number(MetricCatalog.ProcessThreads.Utf8Name, process.RenderedLabels, process.Threads.Count);
        ThreadsByState(processes, writer);
        ProcessSeconds(processes, writer, MetricCatalog.ProcessStartTime, static p => p.StartTime);
    }

    // A type parameter, not a delegate: it is compiled into the loop.
    private static void Threads<TColumn>(IReadOnlyList<WatchedProcess> processes, ExpositionWriter writer, MetricFamily family)
        where TColumn : struct, INanoseconds
    {
        writer.Head(family);
        byte[] name = family.Utf8Name;
        foreach (WatchedProcess process in processes)
        {
            foreach (ThreadSeries series in CollectionsMarshal.AsSpan(process.Shown))
                writer.Seconds(name, series.RenderedLabels, TColumn.Of(series.Shown));
        }
    }

    private static void ThreadPeaks(IReadOnlyList<WatchedProcess> processes, ExpositionWriter writer, SamplerConfig sampler)
    {
        writer.Head(MetricCatalog.ThreadPeak);
        long now = Clocks.MonotonicNanoseconds();
        long window = sampler.PeakWindow.Ticks * TimeSpan.NanosecondsPerTick;
        foreach (WatchedProcess process in processes)
        {
            foreach (ThreadSeries series in CollectionsMarshal.AsSpan(process.Shown))
                series.Peak = 0;
            foreach (WatchedThread thread in CollectionsMarshal.AsSpan(process.Threads))
            {
                if (thread is { Saturation: not null, Series: not null })
                    thread.Series.Peak = Math.Max(thread.Series.Peak, thread.Saturation.HighestShare(now, window));
            }
            // Four decimals: a tick of the kernel is coarser.
            foreach (ThreadSeries series in CollectionsMarshal.AsSpan(process.Shown))
                writer.Seconds(MetricCatalog.ThreadPeak.Utf8Name, series.RenderedLabels, (long)Math.Round(series.Peak * 10_000) * 100_000);
        }
    }

    // Without a group the family is not there at all.
    private static void NameThreads(IReadOnlyList<WatchedProcess> processes, ExpositionWriter writer)
    {
        bool headed = false;
        foreach (WatchedProcess process in processes)
        {
            foreach (ThreadSeries series in CollectionsMarshal.AsSpan(process.Shown))
            {
                if (!series.IsNameSeries)
                    break;
                if (!headed)
                    writer.Head(MetricCatalog.ThreadGroupThreads);
                headed = true;
                writer.Number(MetricCatalog.ThreadGroupThreads.Utf8Name, series.RenderedLabels, series.Members);
            }
        }
    }

    private static void ProcessSeconds(IReadOnlyList<WatchedProcess> processes, ExpositionWriter writer, MetricFamily family, Func<WatchedProcess, long> nanoseconds)
    {
        writer.Head(family);
        foreach (WatchedProcess process in processes)
            writer.Seconds(family.Utf8Name, process.RenderedLabels, nanoseconds(process));
    }

    private static void ThreadsByState(IReadOnlyList<WatchedProcess> processes, ExpositionWriter writer)
    {
        writer.Head(MetricCatalog.ProcessThreadsByState);
        Span<int> counts = stackalloc int[128];
        foreach (WatchedProcess process in processes)
        {
            counts.Clear();
            foreach (WatchedThread thread in process.Threads)
                counts[thread.State & 0x7f]++;
            byte[] shared = process.RenderedLabels!;
            byte[] labels = ArrayPool<byte>.Shared.Rent(shared.Length + 16);
            // The process's label set with one more label in place of its closing brace.
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
        if (process.RenderedLabels is null)
        {
            LabelText text = new(buffer = RentFor(process));
            text.Add("daemon"u8, process.Daemon);
            text.Add("pid"u8, process.Pid);
            text.Add("pname"u8, process.Name);
            AddExtraLabels(ref text, process);
            process.RenderedLabels = text.Finish();
        }
        foreach (ThreadSeries series in CollectionsMarshal.AsSpan(process.Shown))
        {
            if (series.RenderedLabels is not null)
                continue;
            LabelText text = new(buffer ??= RentFor(process));
            text.Add("daemon"u8, process.Daemon);
            text.Add("ppid"u8, process.Pid);
            text.Add("pname"u8, process.Name);
            if (!series.IsNameSeries)
                text.Add("tid"u8, series.Tid);
            text.Add("tname"u8, series.Name);
            AddExtraLabels(ref text, process);
            series.RenderedLabels = text.Finish();
        }
        if (buffer is not null)
            ArrayPool<byte>.Shared.Return(buffer);
    }

    private static void AddExtraLabels(ref LabelText text, WatchedProcess process)
    {
        foreach ((string name, byte[] value) in process.CgroupLabels)
            text.Add(Encoding.UTF8.GetBytes(name), value);
    }

    // 64 bytes: no task name is longer, kernel workers included.
    private static byte[] RentFor(WatchedProcess process) =>
        ArrayPool<byte>.Shared.Rent(128 + LabelText.MaxLength(process.Daemon.Length + process.Name.Length + 256 + process.CgroupLabels.Sum(l => 32 + l.Value.Length)));

    private interface INanoseconds
    {
        static abstract long Of(in ThreadCounters counters);
    }

    private readonly struct User : INanoseconds
    {
        public static long Of(in ThreadCounters counters) => counters.User;
    }

    private readonly struct Kernel : INanoseconds
    {
        public static long Of(in ThreadCounters counters) => counters.Kernel;
    }

    private readonly struct Cpu : INanoseconds
    {
        public static long Of(in ThreadCounters counters) => counters.Cpu;
    }

    private readonly struct Wait : INanoseconds
    {
        public static long Of(in ThreadCounters counters) => counters.Wait;
    }

    private readonly struct Saturated : INanoseconds
    {
        public static long Of(in ThreadCounters counters) => counters.Saturated;
    }
}
