using System.Buffers;
using ThreadExporter.Collection;

namespace ThreadExporter.Exposition;

/// <summary>Renders what a collection found. Label sets are rendered once per thread and kept until a label changes.</summary>
internal static class ThreadMetrics
{
    // What is always shown, so that a series does not come and go with a state; the other letters only when there is one.
    private const string CommonStates = "RSDTtZI";

    public static void Write(Collector collector, ExpositionWriter writer)
    {
        IReadOnlyList<WatchedProcess> processes = collector.Processes;
        foreach (WatchedProcess process in processes)
            RenderLabels(process);

        ThreadSeconds(processes, writer, Catalogue.ThreadCpuUser, static t => t.User);
        ThreadSeconds(processes, writer, Catalogue.ThreadCpuKernel, static t => t.Kernel);
        ThreadSeconds(processes, writer, Catalogue.ThreadCpu, static t => t.Cpu);
        if (collector.HasSchedInfo)
        {
            ThreadSeconds(processes, writer, Catalogue.ThreadRunqueue, static t => t.Wait);
            writer.Head(Catalogue.ThreadTimeslices);
            foreach (WatchedProcess process in processes)
            {
                foreach (WatchedThread thread in process.Threads)
                    writer.Number(Catalogue.ThreadTimeslices.Utf8Name, thread.RenderedLabels, thread.Timeslices);
            }
        }

        ProcessSeconds(processes, writer, Catalogue.ProcessCpuUser, static p => p.User);
        ProcessSeconds(processes, writer, Catalogue.ProcessCpuKernel, static p => p.Kernel);
        ProcessSeconds(processes, writer, Catalogue.ProcessCpu, static p => p.Cpu);
        writer.Head(Catalogue.ProcessThreads);
        foreach (WatchedProcess process in processes)
            writer.Number(Catalogue.ProcessThreads.Utf8Name, process.RenderedLabels, process.Threads.Count);
        ThreadsByState(processes, writer);
        ProcessSeconds(processes, writer, Catalogue.ProcessStartTime, static p => p.StartTime);
    }

    private static void ThreadSeconds(IReadOnlyList<WatchedProcess> processes, ExpositionWriter writer, MetricFamily family, Func<WatchedThread, long> nanoseconds)
    {
        writer.Head(family);
        foreach (WatchedProcess process in processes)
        {
            foreach (WatchedThread thread in process.Threads)
                writer.Seconds(family.Utf8Name, thread.RenderedLabels, nanoseconds(thread));
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
            thread.RenderedLabels = text.Finish();
        }
        if (buffer is not null)
            ArrayPool<byte>.Shared.Return(buffer);
    }

    // 64 bytes: no task name is longer, kernel workers included.
    private static byte[] RentFor(WatchedProcess process) =>
        ArrayPool<byte>.Shared.Rent(128 + LabelText.MaxLength(process.Daemon.Length + process.Name.Length + 256));
}
