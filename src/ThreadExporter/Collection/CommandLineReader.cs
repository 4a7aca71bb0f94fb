using System.Collections.Concurrent;
using System.Diagnostics;
using ThreadExporter.Linux;
using ThreadExporter.Model;
using ThreadExporter.Procfs;

namespace ThreadExporter.Collection;

/// <summary>
/// Reads command lines off the scrape path. <c>/proc/PID/cmdline</c> takes the process's mmap lock and can block for
/// minutes on a stuck one: such a read keeps its thread, the scrape goes on without it, and its answer is used when it comes.
/// </summary>
internal sealed class CommandLineReader(CollectionDiagnostics errors) : IDisposable
{
    /// <summary>Reads that may hang at one time; beyond it command lines are unknown until one comes back.</summary>
    private const int MaxStuck = 32;

    private const int StackSize = 256 * 1024;

    /// <summary>
    /// What all the reads of one collection may wait together. Each waits for half of what is left, so that one that is stuck
    /// leaves time for those after it.
    /// </summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(100);

    /// <summary>A read that takes no longer has not waited; thousands of them at the daemon's start are no reason to give up.</summary>
    private static readonly TimeSpan QuickTimeout = TimeSpan.FromMilliseconds(1);

    private readonly Dictionary<(int Pid, ulong StartTicks), Job> _stuck = [];
    private BlockingCollection<Job>? _worker;
    private TimeSpan _left = Timeout;

    /// <summary>Begins a collection: the time to wait is counted anew, and answers that nobody asked for are dropped.</summary>
    public void BeginCollection()
    {
        _left = Timeout;
        foreach (((int Pid, ulong StartTicks) process, Job job) in _stuck)
        {
            if (job.Done.IsSet && job.UnclaimedCollections++ > 1)
                _stuck.Remove(process);
        }
    }

    /// <summary>The raw command line, arguments separated by NUL; null: not known now, ask again at the next collection.</summary>
    public CommandLineBytes? Read(int pid, ulong startTicks, int directory)
    {
        (int, ulong) process = (pid, startTicks);
        if (_stuck.TryGetValue(process, out Job? late))
        {
            if (!late.Done.IsSet)
                return null;
            _stuck.Remove(process);
            return OrOfLiveThread(late.Status, Collect(late), late.OfLeader);
        }
        if (_stuck.Values.Count(j => !j.Done.IsSet) >= MaxStuck)
            return null;
        CommandLineBytes? text = ReadFile(process, directory, "cmdline"u8, ofLeader: true, out ReadStatus status);
        return OrOfLiveThread(status, text, ofLeader: true);

        CommandLineBytes? OrOfLiveThread(ReadStatus status, CommandLineBytes? text, bool ofLeader) =>
            ofLeader && status == ReadStatus.Ok && text is { Head.Length: 0 } ? ReadOfLiveThread(process, directory) : text;
    }

    public void Dispose() => _worker?.CompleteAdding();

    // The leader of a process may have exited while others live on: its own file is empty then, theirs answer.
    private CommandLineBytes? ReadOfLiveThread((int Pid, ulong StartTicks) process, int directory)
    {
        ReadStatus status = LiveThread.Find(directory, process.Pid, out int other);
        if (status != ReadStatus.Ok)
            return status == ReadStatus.Gone ? CommandLineBytes.None : Failed(status);
        Span<byte> path = stackalloc byte[64];
        CommandLineBytes? text = ReadFile(process, directory, ProcPath.Format(path, "task/"u8, other, "/cmdline"u8), ofLeader: false, out _);
        // One that ended meanwhile has none, either.
        bool ended = text is { Head.Length: 0 } && LiveThread.Find(directory, process.Pid, out int first) == ReadStatus.Ok && first != other;
        return ended ? null : text;
    }

    private CommandLineBytes? ReadFile((int Pid, ulong StartTicks) process, int directory, ReadOnlySpan<byte> path, bool ofLeader, out ReadStatus status)
    {
        // Opening does not block; the worker owns the descriptor from here, however long the read takes.
        status = RawFile.Open(directory, path, out int descriptor);
        if (status != ReadStatus.Ok)
            return Failed(status);
        try
        {
            _worker ??= StartWorker();
        }
        // So the runtime says that there is no descriptor or no memory for a thread.
        catch (OutOfMemoryException)
        {
            RawFile.Close(descriptor);
            return Failed(status = ReadStatus.NoDescriptors);
        }
        Job job = new(descriptor, ofLeader);
        _worker.Add(job);
        long begin = Stopwatch.GetTimestamp();
        bool done = job.Done.Wait(TimeSpan.FromTicks(Math.Max(_left.Ticks / 2, QuickTimeout.Ticks)));
        _left -= TimeSpan.FromTicks(Math.Max(0, (Stopwatch.GetElapsedTime(begin) - QuickTimeout).Ticks));
        status = done ? job.Status : ReadStatus.Other;
        if (done)
            return Collect(job);
        errors.CountReadError(status);
        _stuck[process] = job;
        _worker.CompleteAdding();
        _worker = null;
        return null;
    }

    private CommandLineBytes? Collect(Job job) => job.Status == ReadStatus.Ok ? job.Text : Failed(job.Status);

    // Any other failure (no free descriptor, say) tells nothing about the process.
    private CommandLineBytes? Failed(ReadStatus status)
    {
        errors.CountReadError(status);
        return status is ReadStatus.Gone or ReadStatus.Denied ? CommandLineBytes.None : null;
    }

    private static BlockingCollection<Job> StartWorker()
    {
        BlockingCollection<Job> jobs = [];
        Thread thread = new(() =>
        {
            foreach (Job job in jobs.GetConsumingEnumerable())
                job.Run();
            jobs.Dispose();
        }, StackSize)
        {
            IsBackground = true,
            Name = "cmdline",
        };
        thread.Start();
        return jobs;
    }

    private sealed class Job(int descriptor, bool ofLeader)
    {
        public bool OfLeader => ofLeader;
        public ManualResetEventSlim Done { get; } = new();
        public ReadStatus Status { get; private set; }
        public CommandLineBytes Text { get; private set; } = CommandLineBytes.None;
        public int UnclaimedCollections { get; set; }

        public void Run()
        {
            Status = ProcCmdline.Read(descriptor, out CommandLineBytes text);
            Text = text;
            RawFile.Close(descriptor);
            Done.Set();
        }
    }
}
