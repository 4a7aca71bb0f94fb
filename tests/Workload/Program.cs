using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

// A process whose threads do what a test says, line by line on standard input, each answered by one line:
//   spawn NAME idle|burn|PERCENT   a thread; answers its tid (PERCENT: busy so much of every 100 ms)
//   rename TID HEX                 gives it a name of these bytes
//   burn TID MILLISECONDS          lets an idle one run so long by its own CPU clock; answers when it has
//   exit TID                       ends it
//   churn THREADS MILLISECONDS     threads one after the other, each burning so long; answers when all are gone
//   cpu TID                        its CPU clock in nanoseconds
// End of input ends the process.
ConcurrentDictionary<int, WorkloadThread> threads = new();

while (Console.ReadLine() is { } line)
{
    string[] words = line.Split(' ');
    switch (words[0])
    {
        case "spawn":
            WorkloadThread thread = new(words[1], words[2]);
            threads[thread.Tid] = thread;
            Console.WriteLine(thread.Tid);
            break;
        case "rename":
            File.WriteAllBytes($"/proc/self/task/{words[1]}/comm", Convert.FromHexString(words[2]));
            Console.WriteLine("ok");
            break;
        case "burn":
            threads[Number(words[1])].BurnOnce(Number(words[2]));
            Console.WriteLine("ok");
            break;
        case "exit":
            threads.TryRemove(Number(words[1]), out WorkloadThread? ended);
            ended!.Stop();
            // Join ends with the managed thread; the kernel's goes a moment later.
            while (Directory.Exists($"/proc/self/task/{ended.Tid}"))
                Thread.Yield();
            Console.WriteLine("ok");
            break;
        case "churn":
            for (int i = 0; i < Number(words[1]); i++)
                new WorkloadThread($"churn-{i % 10}", words[2] + "ms").Join();
            Console.WriteLine("ok");
            break;
        case "cpu":
            Console.WriteLine(WorkloadThread.CpuOf(Number(words[1])));
            break;
        default:
            Console.WriteLine("what?");
            break;
    }
}
Environment.Exit(0);

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

internal sealed partial class WorkloadThread
{
    private readonly Thread _thread;
    private readonly object _asked = new();
    private volatile bool _stopped;
    private int _milliseconds;
    private int _tid;

    public WorkloadThread(string name, string mode)
    {
        using ManualResetEventSlim started = new();
        _thread = new Thread(() =>
        {
            _tid = GetTid();
            started.Set();
            Work(mode);
        }, 256 * 1024)
        {
            IsBackground = true,
            Name = name,
        };
        _thread.Start();
        started.Wait();
    }

    public int Tid => _tid;

    public void Stop()
    {
        _stopped = true;
        _thread.Interrupt();
        _thread.Join();
    }

    public void Join() => _thread.Join();

    public void BurnOnce(int milliseconds)
    {
        lock (_asked)
        {
            _milliseconds = milliseconds;
            Monitor.Pulse(_asked);
            while (_milliseconds > 0)
                Monitor.Wait(_asked);
        }
    }

    /// <summary>CLOCK_THREAD_CPUTIME_ID of any thread of this process, by its tid.</summary>
    public static long CpuOf(int tid)
    {
        long[] time = new long[2];
        if (ClockGetTime((~tid << 3) | 6, time) != 0)
            throw new InvalidOperationException($"no clock for thread {tid}");
        return time[0] * 1_000_000_000 + time[1];
    }

    private void Work(string mode)
    {
        if (mode == "idle")
        {
            while (!RestUntilAsked())
            {
                long end = CpuOf(_tid) + _milliseconds * 1_000_000L;
                while (CpuOf(_tid) < end)
                    Thread.SpinWait(50);
                lock (_asked)
                {
                    _milliseconds = 0;
                    Monitor.Pulse(_asked);
                }
            }
        }
        else if (mode == "burn")
        {
            while (!_stopped)
                Burn(TimeSpan.FromMilliseconds(5));
        }
        else if (mode.EndsWith("ms", StringComparison.Ordinal))
        {
            Burn(TimeSpan.FromMilliseconds(int.Parse(mode[..^2], CultureInfo.InvariantCulture)));
        }
        else
        {
            int busy = int.Parse(mode, CultureInfo.InvariantCulture);
            while (!Rest(100 - busy))
                Burn(TimeSpan.FromMilliseconds(busy));
        }
    }

    // True: it is time to end.
    private bool Rest(int milliseconds)
    {
        try
        {
            Thread.Sleep(milliseconds);
        }
        catch (ThreadInterruptedException)
        {
            // Stop asks for it.
        }
        return _stopped;
    }

    private bool RestUntilAsked()
    {
        try
        {
            lock (_asked)
            {
                while (_milliseconds == 0)
                    Monitor.Wait(_asked);
            }
        }
        catch (ThreadInterruptedException)
        {
            // Stop asks for it.
        }
        return _stopped;
    }

    private static void Burn(TimeSpan time)
    {
        long end = Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency);
        while (Stopwatch.GetTimestamp() < end)
            Thread.SpinWait(50);
    }

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int GetTid();

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, [Out] long[] time);
}
