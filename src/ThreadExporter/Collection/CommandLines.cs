using System.Collections.Concurrent;
using System.Diagnostics;
using ThreadExporter.Procfs;

namespace ThreadExporter.Collection;

/// <summary>
/// Reads command lines off the scrape path. <c>/proc/PID/cmdline</c> takes the process's mmap lock and can block for
/// minutes on a stuck one: such a read keeps its thread, the scrape goes on without it, and its answer is used when it comes.
/// </summary>
internal sealed class CommandLines : IDisposable
{
    /// <summary>A longer command line is cut: 64 KiB holds any that a person wrote.</summary>
    private const int MaxLength = 64 * 1024;

    /// <summary>Reads that may hang at one time; beyond it command lines are unknown until one comes back.</summary>
    private const int MaxStuck = 4;

    /// <summary>What all the reads of one collection may wait together.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    private readonly Dictionary<(int Pid, ulong StartTicks), Job> _stuck = [];
    private BlockingCollection<Job>? _worker;
    private TimeSpan _left = Patience;

    /// <summary>Begins a collection: the time to wait is counted anew, and answers that nobody asked for are dropped.</summary>
    public void BeginCollection()
    {
        _left = Patience;
        foreach (((int Pid, ulong StartTicks) process, Job job) in _stuck)
        {
            if (job.Done.IsSet && job.UnclaimedCollections++ > 1)
                _stuck.Remove(process);
        }
    }

    /// <summary>The raw command line, arguments separated by NUL; null: not known now, ask again at the next collection.</summary>
    public byte[]? Read(int pid, ulong startTicks, int directory)
    {
        (int, ulong) process = (pid, startTicks);
        if (_stuck.TryGetValue(process, out Job? late))
        {
            if (!late.Done.IsSet)
                return null;
            _stuck.Remove(process);
            return late.Result;
        }
        if (_left <= TimeSpan.Zero || _stuck.Values.Count(j => !j.Done.IsSet) >= MaxStuck)
            return null;
        byte[]? text = ReadFile(process, directory, "cmdline"u8);
        return text is { Length: 0 } ? ReadOfLiveThread(process, directory) : text;
    }

    public void Dispose() => _worker?.CompleteAdding();

    // The leader of a process may have exited while others live on: its own file is empty then, theirs answer.
    private byte[]? ReadOfLiveThread((int Pid, ulong StartTicks) process, int directory)
    {
        List<int> tids = [];
        ReadStatus status = ProcFile.ListIds(directory, "task"u8, tids);
        if (status != ReadStatus.Ok)
            return Missing(status);
        int other = tids.Find(tid => tid != process.Pid);
        if (other == 0)
            return [];
        Span<byte> path = stackalloc byte[64];
        return ReadFile(process, directory, ProcPath.Format(path, "task/"u8, other, "/cmdline"u8));
    }

    private byte[]? ReadFile((int Pid, ulong StartTicks) process, int directory, ReadOnlySpan<byte> path)
    {
        // Opening does not block; the worker owns the descriptor from here, however long the read takes.
        ReadStatus status = ProcFile.Open(directory, path, out int descriptor);
        if (status != ReadStatus.Ok)
            return Missing(status);
        Job job = new(descriptor);
        _worker ??= StartWorker();
        _worker.Add(job);
        long begin = Stopwatch.GetTimestamp();
        bool done = job.Done.Wait(_left);
        _left -= Stopwatch.GetElapsedTime(begin);
        if (done)
            return job.Result;
        _stuck[process] = job;
        _worker.CompleteAdding();
        _worker = null;
        return null;
    }

    // Any other failure (no free descriptor, say) tells nothing about the process.
    private static byte[]? Missing(ReadStatus status) => status is ReadStatus.Gone or ReadStatus.Denied ? [] : null;

    private static BlockingCollection<Job> StartWorker()
    {
        BlockingCollection<Job> jobs = [];
        Thread thread = new(() =>
        {
            foreach (Job job in jobs.GetConsumingEnumerable())
                job.Run();
            jobs.Dispose();
        })
        {
            IsBackground = true,
            Name = "cmdline",
        };
        thread.Start();
        return jobs;
    }

    private sealed class Job(int descriptor)
    {
        public ManualResetEventSlim Done { get; } = new();
        public byte[]? Result { get; private set; }
        public int UnclaimedCollections { get; set; }

        public void Run()
        {
            byte[] buffer = new byte[MaxLength];
            ReadStatus status = ProcFile.ReadAt(descriptor, buffer, out int length);
            Result = status == ReadStatus.Ok ? buffer[..length] : Missing(status);
            ProcFile.Close(descriptor);
            Done.Set();
        }
    }
}
