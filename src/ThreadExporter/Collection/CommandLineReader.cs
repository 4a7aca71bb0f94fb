using System.Collections.Concurrent;
using System.Diagnostics;
using ThreadExporter.Linux;
using ThreadExporter.Model;
using ThreadExporter.Procfs;

namespace ThreadExporter.Collection;

/// <summary>
/// Reads <c>/proc/PID/cmdline</c> on a worker thread. The read takes the mmap lock of the process (fs/proc/base.c, get_mm_cmdline) and can
/// block for minutes while the process holds it. A read that blocks keeps its worker thread; the scrape continues without it, and a later
/// collection takes its result. Used under the collection gate.
/// </summary>
internal sealed class CommandLineReader(CollectionDiagnostics errors) : IDisposable
{
    /// <summary>Reads that may block at one time. At the limit no other command line is read until one of them returns.</summary>
    private const int MaxStuck = 32;

    private const int StackSize = 256 * 1024;

    /// <summary>
    /// How long all reads of one collection may wait together. Each waits for at most half of the remaining time, so that a read that
    /// blocks leaves time for the next ones.
    /// </summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(100);

    /// <summary>A shorter read is not counted as waiting: at the start of the daemon there may be thousands of them.</summary>
    private static readonly TimeSpan QuickTimeout = TimeSpan.FromMilliseconds(1);

    private readonly Dictionary<(int Pid, ulong StartTicks), Job> _stuck = [];
    private BlockingCollection<Job>? _worker;
    private TimeSpan _remaining = Timeout;

    /// <summary>Starts a collection: resets the time to wait, and drops results that no collection has taken.</summary>
    public void StartCollection()
    {
        _remaining = Timeout;
        foreach (((int Pid, ulong StartTicks) process, Job job) in _stuck)
        {
            if (job.Done.IsSet && job.UnclaimedCollections++ > 1)
                _stuck.Remove(process);
        }
    }

    /// <summary>Reads the command line of a process; of another thread of it when the leader has exited.</summary>
    /// <param name="pid">The process.</param>
    /// <param name="startTicks">Its start in clock ticks since boot; identifies it together with the pid.</param>
    /// <param name="directory">Descriptor of <c>/proc/PID</c>.</param>
    /// <returns>
    /// The arguments, separated by NUL; empty: there are none, or the file cannot be read; null: not known yet, to be read again at the next
    /// collection.
    /// </returns>
    public CommandLineBytes? Read(int pid, ulong startTicks, int directory)
    {
        (int, ulong) process = (pid, startTicks);
        if (_stuck.TryGetValue(process, out Job? stuck))
        {
            if (!stuck.Done.IsSet)
                return null;
            _stuck.Remove(process);
            return OrOfLiveThread(stuck.Status, Collect(stuck), stuck.OfLeader);
        }
        if (_stuck.Values.Count(j => !j.Done.IsSet) >= MaxStuck)
            return null;
        CommandLineBytes? text = ReadFile(process, directory, "cmdline"u8, ofLeader: true, out ReadStatus status);
        return OrOfLiveThread(status, text, ofLeader: true);

        CommandLineBytes? OrOfLiveThread(ReadStatus status, CommandLineBytes? text, bool ofLeader) =>
            ofLeader && status == ReadStatus.Ok && text is { Head.Length: 0 } ? ReadOfLiveThread(process, directory) : text;
    }

    public void Dispose() => _worker?.CompleteAdding();

    // The leader of a process may have exited while other threads run. Its file is empty then; theirs have the command line.
    private CommandLineBytes? ReadOfLiveThread((int Pid, ulong StartTicks) process, int directory)
    {
        ReadStatus status = LiveThread.Find(directory, process.Pid, out int other);
        if (status != ReadStatus.Ok)
            return status == ReadStatus.Gone ? CommandLineBytes.None : Failed(status);
        Span<byte> path = stackalloc byte[64];
        CommandLineBytes? text = ReadFile(process, directory, ProcPath.Format(path, "task/"u8, other, "/cmdline"u8), ofLeader: false, out _);
        // The file of a thread that has exited meanwhile is empty, too.
        bool exited = text is { Head.Length: 0 } && LiveThread.Find(directory, process.Pid, out int first) == ReadStatus.Ok && first != other;
        return exited ? null : text;
    }

    private CommandLineBytes? ReadFile((int Pid, ulong StartTicks) process, int directory, ReadOnlySpan<byte> path, bool ofLeader, out ReadStatus status)
    {
        // Opening does not block. The worker closes the descriptor, however long the read takes.
        status = RawFile.Open(directory, path, out int descriptor);
        if (status != ReadStatus.Ok)
            return Failed(status);
        try
        {
            _worker ??= StartWorker();
        }
        // The runtime throws this when a thread cannot be created: no descriptor or no memory.
        catch (OutOfMemoryException)
        {
            RawFile.Close(descriptor);
            return Failed(status = ReadStatus.NoDescriptors);
        }
        Job job = new(descriptor, ofLeader);
        _worker.Add(job);
        long start = Stopwatch.GetTimestamp();
        bool done = job.Done.Wait(TimeSpan.FromTicks(Math.Max(_remaining.Ticks / 2, QuickTimeout.Ticks)));
        _remaining -= TimeSpan.FromTicks(Math.Max(0, (Stopwatch.GetElapsedTime(start) - QuickTimeout).Ticks));
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

    // Any other error (no free descriptor, for example) says nothing about the process.
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
