using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using ThreadExporter.Collection;
using ThreadExporter.Configuration;
using ThreadExporter.Procfs;

namespace ThreadExporter.Exposition;

/// <summary>Renders what a collection found. Label sets are rendered once per thread and kept until a label changes.</summary>
internal static class ThreadMetrics
{
    // What is always shown, so that a series does not come and go with a state; the other letters only when there is one.
    private const string CommonStates = "RSDTtZI";

    public static void Write(Collector collector, SamplerConfig sampler, ExpositionWriter writer)
    {
        IReadOnlyList<WatchedProcess> processes = collector.Processes;
        foreach (WatchedProcess process in processes)
            RenderLabels(process);

        Threads<User>(processes, writer, Catalogue.ThreadCpuUser);
        Threads<Kernel>(processes, writer, Catalogue.ThreadCpuKernel);
        Threads<Cpu>(processes, writer, Catalogue.ThreadCpu);
        if (collector.HasSchedInfo)
        {
            Threads<Wait>(processes, writer, Catalogue.ThreadRunqueue);
            writer.Head(Catalogue.ThreadTimeslices);
            foreach (WatchedProcess process in processes)
            {
                foreach (WatchedThread thread in process.Threads)
                    writer.Number(Catalogue.ThreadTimeslices.Utf8Name, thread.RenderedLabels, thread.Timeslices);
            }
            if (sampler.Enabled)
            {
                Threads<Saturated>(processes, writer, Catalogue.ThreadSaturated);
                ThreadPeaks(processes, writer, sampler);
            }
        }

        ExtendedMetrics.Write(collector, writer);

        ProcessSeconds(processes, writer, Catalogue.ProcessCpuUser, static p => p.User);
        ProcessSeconds(processes, writer, Catalogue.ProcessCpuKernel, static p => p.Kernel);
        ProcessSeconds(processes, writer, Catalogue.ProcessCpu, static p => p.Cpu);
        writer.Head(Catalogue.ProcessThreads);
        foreach (WatchedProcess process in processes)
            writer.Number(Catalogue.ProcessThreads.Utf8Name, process.RenderedLabels, process.Threads.Count);
        ThreadsByState(processes, writer);
        ProcessSeconds(processes, writer, Catalogue.ProcessStartTime, static p => p.StartTime);
    }

    // A type parameter, not a delegate: it is compiled into the loop.
    private static void Threads<TColumn>(IReadOnlyList<WatchedProcess> processes, ExpositionWriter writer, MetricFamily family)
        where TColumn : struct, INanoseconds
    {
        writer.Head(family);
        byte[] name = family.Utf8Name;
        foreach (WatchedProcess process in processes)
        {
            foreach (WatchedThread thread in CollectionsMarshal.AsSpan(process.Threads))
                writer.Seconds(name, thread.RenderedLabels, TColumn.Of(thread));
        }
    }

    private static void ThreadPeaks(IReadOnlyList<WatchedProcess> processes, ExpositionWriter writer, SamplerConfig sampler)
    {
        writer.Head(Catalogue.ThreadPeak);
        long now = Clocks.MonotonicNanoseconds();
        long window = sampler.PeakWindow.Ticks * TimeSpan.NanosecondsPerTick;
        foreach (WatchedProcess process in processes)
        {
            foreach (WatchedThread thread in CollectionsMarshal.AsSpan(process.Threads))
            {
                // Four decimals: a tick of the kernel is coarser.
                double share = thread.Samples?.HighestShare(now, window) ?? 0;
                writer.Seconds(Catalogue.ThreadPeak.Utf8Name, thread.RenderedLabels, (long)Math.Round(share * 10_000) * 100_000);
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
        writer.Head(Catalogue.ProcessThreadsByState);
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
                writer.Number(Catalogue.ProcessThreadsByState.Utf8Name, labels.AsSpan(0, length), counts[state]);
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
        foreach (WatchedThread thread in process.Threads)
        {
            if (thread.RenderedLabels is not null)
                continue;
            LabelText text = new(buffer ??= RentFor(process));
            text.Add("daemon"u8, process.Daemon);
            text.Add("ppid"u8, process.Pid);
            text.Add("pname"u8, process.Name);
            text.Add("tid"u8, thread.Tid);
            text.Add("tname"u8, thread.Name);
            AddExtraLabels(ref text, process);
            thread.RenderedLabels = text.Finish();
        }
        if (buffer is not null)
            ArrayPool<byte>.Shared.Return(buffer);
    }

    private static void AddExtraLabels(ref LabelText text, WatchedProcess process)
    {
        foreach ((string name, byte[] value) in process.ExtraLabels)
            text.Add(Encoding.UTF8.GetBytes(name), value);
    }

    // 64 bytes: no task name is longer, kernel workers included.
    private static byte[] RentFor(WatchedProcess process) =>
        ArrayPool<byte>.Shared.Rent(128 + LabelText.MaxLength(process.Daemon.Length + process.Name.Length + 256 + process.ExtraLabels.Sum(l => 32 + l.Value.Length)));

    private interface INanoseconds
    {
        static abstract long Of(WatchedThread thread);
    }

    private readonly struct User : INanoseconds
    {
        public static long Of(WatchedThread thread) => thread.User;
    }

    private readonly struct Kernel : INanoseconds
    {
        public static long Of(WatchedThread thread) => thread.Kernel;
    }

    private readonly struct Cpu : INanoseconds
    {
        public static long Of(WatchedThread thread) => thread.Cpu;
    }

    private readonly struct Wait : INanoseconds
    {
        public static long Of(WatchedThread thread) => thread.Wait;
    }

    private readonly struct Saturated : INanoseconds
    {
        public static long Of(WatchedThread thread) => thread.Samples?.Saturated ?? 0;
    }
}
